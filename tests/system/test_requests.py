"""How often the outside services are asked: seldom, and never more than once for the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.embedded import route


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

ZONE = "hearth.example"
MANY = [f"many-{number:02}.{ZONE}" for number in range(30)]
READING = {"GET", "HEAD"}


def calls(requests: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Count requests by method and the end of their path."""
    return Counter((one["method"], one["path"].rpartition("/")[2]) for one in requests)


@pytest.fixture
def many_names(in_step: Embedded) -> Iterator[Embedded]:
    """Let two routes publish thirty names more, which no Converge has seen; then take them back."""
    routes = [route("many-a", MANY[:15]), route("many-b", MANY[15:])]
    in_step.kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": routes})
    in_step.forget_requests()
    yield in_step
    in_step.kubectl("-n", "home", "delete", "httproute", "many-a", "many-b")


def test_nothing_to_do(in_step: Embedded) -> None:
    """A run that changes nothing asks each endpoint and each zone once, and writes nothing."""
    in_step.forget_requests()

    output = in_step.converge()

    assert output["outcome"] == "in_sync"
    tailscale = calls(in_step.requests("tailscale"))
    assert tailscale == {
        ("POST", "token"): 1,
        ("GET", "devices"): 1,
        ("GET", "services"): 1,
        ("GET", "split-dns"): 1,
    }
    assert calls(in_step.requests("cloudflare")) == {("GET", "dns_records"): 1}
    assert {one["method"] for one in in_step.requests("kubernetes")} <= READING


def test_thirty_names(many_names: Embedded) -> None:
    """Thirty new names of a zone are one batch, and all of them answer."""
    output = many_names.converge()

    assert (output["outcome"], output["plan"]["create"]) == ("applied", 60)
    writes = [r for r in many_names.requests("cloudflare") if r["method"] not in READING]
    assert [(r["method"], r["path"].rpartition("/")[2]) for r in writes] == [("POST", "batch")]
    answers = many_names.ask_all([(name, "tailnet", "split-dns") for name in MANY])
    assert [answer for answer in answers if not answer.ok] == []
    records = many_names.records(ZONE)
    assert all(("CNAME", name) in records for name in MANY)
