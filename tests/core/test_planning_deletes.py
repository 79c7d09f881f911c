"""Deletes, from worlds that shrink: what a person sees vanish must have been asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.world import Memory
from tests.support.estates import Estate
from tests.support.worlds import PLACE, Bench, device, route
from tests.support.zones import Zone


if TYPE_CHECKING:
    from tailkeeper.model import Plan


def stepped(names: str, unpublished: str = "") -> Bench:
    """Return a world in step, in which every name has been missing long enough to go."""
    routes = [route(name) for name in names] + [route(n, expose=False) for n in unpublished]
    bench = Bench(routes)
    plan = bench.plan()
    assert plan
    bench.apply(plan.with_word("apply"))
    hosts = [f"{name}.example.com" for name in names + unpublished]
    places = ("example.com", PLACE)
    bench.memory = Memory(missing_since={(place, host): 0.0 for place in places for host in hosts})
    return bench


def deletes(plan: Plan | None, surface: str) -> dict[str, Any]:
    """Return the verdicts on the deletes of a surface."""
    return {
        c.key.partition(".")[0]: c.verdict
        for c in (plan.changes if plan else ())
        if c.action == "Delete" and c.surface == surface
    }


@pytest.mark.parametrize(
    ("names", "unpublished"), [("a", ""), ("ab", "cdefghij"), ("abcdefghij", "")]
)
def test_a_filter_that_matches_nothing_any_more_deletes_nothing(
    names: str, unpublished: str
) -> None:
    """F01: a prefix changed, the zone's source shrank to nothing; the routes are still there."""
    bench = stepped(names, unpublished)
    bench.zone["annotation_filter"] = "external-dns.io/expose=true"

    found = deletes(bench.plan(now=1e6), "records")

    assert found.keys() == set(names)
    assert {(verdict.word, verdict.row) for verdict in found.values()} == {("hold", 8)}
    assert all("shrank to nothing" in verdict.reasons[0] for verdict in found.values())


@pytest.mark.parametrize("surface", ["records", "resolver"])
@pytest.mark.parametrize(("gone", "word"), [(1, "apply"), (3, "apply"), (4, "hold"), (9, "hold")])
def test_thirty_percent_of_the_names_that_were_there_may_go(
    gone: int, word: str, surface: str
) -> None:
    """The share is of what the place holds, before anything of it goes."""
    bench = stepped("abcdefghij")
    bench.routes = bench.routes[gone:]

    found = deletes(bench.plan(now=1e6), surface)

    assert len(found) == gone
    assert {verdict.word for verdict in found.values()} == {word}


def test_an_unpublished_name_makes_no_room_for_deletes() -> None:
    """Names that only the resolver answers are not names of the zone."""
    bench = stepped("ab", "cdefghij")
    bench.routes[1]["metadata"]["annotations"] = {}
    bench.zone["annotation_filter"] = "external-dns.alpha.kubernetes.io/expose=true"
    bench.routes[0]["metadata"]["annotations"] = {}
    bench.routes.append(route("z"))

    found = deletes(bench.plan(now=1e6), "records")

    assert {verdict.word for verdict in found.values()} == {"hold"}


def test_a_mark_of_another_kind_is_never_taken_for_ours_to_delete() -> None:
    """A record that an Ingress made has no source that we read: a person decides."""
    bench = stepped("ab")
    bench.add(name="old.example.com", type="CNAME", content="gateway-envoy.tail.ts.net")
    bench.add(
        name="cname-old.example.com",
        type="TXT",
        content='"heritage=external-dns,external-dns/owner=homelab,'
        'external-dns/resource=ingress/apps/old"',
    )
    bench.memory = Memory(missing_since={("example.com", "old.example.com"): 0.0})

    (verdict,) = deletes(bench.plan(now=1e6), "records").values()

    assert (verdict.word, verdict.reasons) == (
        "hold",
        ("ingress shrank to nothing for example.com",),
    )


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        ("sync", {"Create", "Update", "Delete"}),
        ("upsert-only", {"Create", "Update"}),
        ("create-only", {"Create"}),
    ],
)
def test_a_zones_policy_says_what_is_planned_at_all(policy: str, changes: set[str]) -> None:
    """As ExternalDNS's --policy: what it forbids is not even held."""
    bench = stepped("abcd")
    bench.zone |= {"policy": policy, "ttl": 120}
    bench.routes = [*bench.routes[1:], route("new")]

    plan = bench.plan(now=1e6)

    assert plan
    assert {c.action for c in plan.changes if c.surface == "records"} == changes


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parents": []}, "no Gateway has judged it"),
        (
            {
                "parents": [
                    {"parentRef": {"name": "gw", "namespace": "tailscale"}, "conditions": []}
                ]
            },
            "has not judged it",
        ),
    ],
)
def test_a_route_that_is_being_judged_keeps_its_name(change: dict[str, Any], why: str) -> None:
    """F04: for a minute or two after an edit, nobody may say that the route is gone."""
    bench = stepped("ab")
    bench.routes[0]["status"] = change

    assert deletes(bench.plan(now=1e6), "records") == {}
    assert deletes(bench.plan(now=1e6), "resolver") == {}
    assert why in str(bench.world().discoveries["homelab"].reports)


def test_one_bad_route_leaves_the_others_alone() -> None:
    """F03: a route that the Gateway does not accept costs its own name only."""
    bench = stepped("abcd")
    bench.routes[0]["status"]["parents"][0]["conditions"][0]["status"] = "False"

    plan = bench.plan(now=1e6)

    assert plan
    assert {c.key for c in plan.changes} == {"a.example.com"}


@pytest.mark.parametrize(("left", "row"), [(1, 10), (0, 8)])
def test_a_cluster_that_shows_nothing_any_more_is_asked_about(left: int, row: int) -> None:
    """Row 8 is of one cluster: that another one has routes in the zone does not make up for it."""
    names = ["app.example.com", "deep.c.example.com", "*.example.com"]
    routes = [route(f"r{n}") for n in range(3)]
    for one, name in zip(routes, names, strict=True):
        one["spec"]["hostnames"] = [name]
    estate = Estate(
        [{"name": "example.com", "owner": "homelab"}],
        {
            "homelab": Bench(routes[:1]),
            "edge": Bench(
                routes[1:], carrier=5, devices=[device(5, "edge", "edge")], addresses=["100.64.0.5"]
            ),
        },
        held={"example.com": Zone()},
        memory=Memory(),
    )
    estate.converge()
    answers = {"nodes": ["n5"], "answers": ["edge.tail.ts.net", "100.64.0.5"]}
    estate.benches["edge"].memory = Memory(carriers={"edge/tailscale/gw": answers})
    estate.benches["edge"].routes = routes[1 : 1 + left]

    plan = estate.plan()

    assert plan
    gone = [c for c in plan.changes if c.surface == "records" and c.verdict]
    assert {c.verdict.row for c in gone if c.verdict} == {row}
    assert {c.source for c in gone} == {"edge/httproute"}
