"""What Cloudflare would reject is made to fit, and told."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.records.fitting import fitted, limits_of
from tailkeeper.records.surface import Wanted


TAGS = tuple(f"t:{number}" for number in range(21))


def wanted(target: str = "gw.example.net", **more: Any) -> Wanted:
    """Return a wish."""
    return Wanted("app.example.com", (target,), "httproute/a/b", "httproute", **more)


@pytest.mark.parametrize(
    ("wish", "plan", "fit"),
    [
        ({"ttl": 5}, "free", {"ttl": 60}),
        ({"ttl": 30}, "pro", {"ttl": 60}),
        ({"ttl": 30}, "enterprise", {}),
        ({"ttl": 604_800}, "enterprise", {"ttl": 86_400}),
        ({"ttl": 1}, "free", {}),
        ({"ttl": None}, "free", {}),
        ({"comment": "x" * 101}, "free", {"comment": "x" * 100}),
        ({"comment": "x" * 501}, "business", {"comment": "x" * 500}),
        ({"comment": ""}, "free", {}),
        ({"tags": ("a:b",)}, "free", {"tags": ()}),
        ({"tags": TAGS}, "pro", {"tags": TAGS[:20]}),
        ({"tags": ("a:b",), "comment": "x" * 101}, "", {}),
        ({"target": "100.64.0.1", "proxied": True}, "free", {"proxied": False}),
        ({"target": "192.0.2.1", "proxied": True}, "free", {}),
    ],
)  # fmt: skip
def test_a_wish_is_made_to_fit(wish: dict[str, Any], plan: str, fit: dict[str, Any]) -> None:
    """By the zone's plan; a plan that we do not know is a paid one."""
    reports: list[str] = []

    got = fitted(wanted(**wish), plan, reports)

    assert got == wanted(**{**wish, **fit})
    assert len(reports) == len(fit)
    assert all("app.example.com" in report for report in reports)


def test_each_objects_part_is_made_to_fit() -> None:
    """Where several objects share a name."""
    whole = wanted(parts=(wanted(ttl=5), wanted(ttl=300)))

    assert [part.ttl for part in fitted(whole, "free", []).parts] == [60, 300]


@pytest.mark.parametrize(("plan", "operations"), [("free", 200), ("pro", 3500), ("new", 3500)])
def test_a_batch_has_its_limit(plan: str, operations: int) -> None:
    """Cloudflare's own, by plan."""
    assert limits_of(plan).operations == operations
