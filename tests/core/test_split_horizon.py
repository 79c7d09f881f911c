"""One name, two answers: what each view gets, and whose record the other one is."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.proof.expectations import targets_of
from tests.support.worlds import PLACE, Bench, route


PAGES = "docs-example.pages.dev"
PUBLIC = {"host": "docs.example.com", "target": PAGES, "views": ["public"]}
GATEWAY = "gateway-envoy.tail.ts.net"


def converged(bench: Bench) -> dict[str, Any]:
    """Converge; return what is expected of docs.example.com then."""
    plan = bench.plan()
    bench.apply(plan.with_word("apply") if plan else ())
    assert bench.plan() is None or not bench.plan().with_word("apply")  # type: ignore[union-attr]
    (target,) = [t for t in targets_of(bench.world(), None) if t["host"] == "docs.example.com"]
    return target


def answers(bench: Bench) -> dict[str, str]:
    """Return what the zone and the resolver say of docs.example.com."""
    zone = [r["content"] for r in bench.records.values() if r["type"] != "TXT"]
    lines = [line for line in (bench.text or "").splitlines() if "docs.example.com" in line]
    told = {"public": zone, "tailnet": [line.split()[0] for line in lines]}
    return {view: found[0] for view, found in told.items() if found}


def test_in_the_tailnet_only() -> None:
    """Somebody else's public record is never touched, and not even mentioned in the plan."""
    bench = Bench([route("docs", expose=False)])
    bench.add(name="docs.example.com", type="CNAME", content=PAGES)

    plan = bench.plan()
    target = converged(bench)

    assert plan
    assert [c for c in plan.changes if c.surface == "records"] == []
    assert answers(bench) == {"public": PAGES, "tailnet": "100.64.0.1"}
    assert "public" not in target
    assert target["tailnet"]["addresses"][0] == "100.64.0.1"


def test_in_public_only() -> None:
    """A route that is published and that the resolver does not answer."""
    one = route("docs")
    one["metadata"]["annotations"] = {
        **one["metadata"]["annotations"],
        "tailkeeper.dev/views": "public",
    }
    bench = Bench([one])

    target = converged(bench)

    assert answers(bench) == {"public": GATEWAY}
    assert "tailnet" not in target
    assert target["public"]["records"][0]["content"] == GATEWAY


def test_in_both_with_different_answers() -> None:
    """The cluster inside, a page outside: a route that is not published, and a declared name."""
    bench = Bench([route("docs", expose=False)], declared=[PUBLIC])

    target = converged(bench)

    assert answers(bench) == {"public": PAGES, "tailnet": "100.64.0.1"}
    assert target["public"]["records"][0]["content"] == PAGES
    assert target["tailnet"]["addresses"][0] == "100.64.0.1"


def test_a_declared_gateway_in_one_view() -> None:
    """By hand, a name goes where the Gateway is, and follows it."""
    named = {"host": "docs.example.com", "target": "gateway/tailscale/gw", "answer": "address"}
    bench = Bench([], declared=[named])

    converged(bench)
    first = answers(bench)
    bench.move()

    assert first == {"public": "100.64.0.1", "tailnet": "100.64.0.1"}
    assert {(c.surface, c.verdict.row) for c in bench.plan().changes if c.verdict} == {  # type: ignore[union-attr]
        ("records", 7),
        ("resolver", 7),
    }


@pytest.mark.parametrize("views", [["public"], ["tailnet"], ["public", "tailnet"]])
def test_a_declared_address_is_where_its_views_are(views: list[str]) -> None:
    """Literal, in the zone, in the resolver, or in both."""
    nas = {"host": "docs.example.com", "target": "100.64.0.77", "views": views}
    bench = Bench([], declared=[nas])

    converged(bench)

    assert answers(bench) == dict.fromkeys(views, "100.64.0.77")
    assert PLACE in bench.world().resolvers
