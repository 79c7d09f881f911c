"""What holds of plans whatever there is: several zones, owners, clusters and policies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.undoing import plan_undo
from tests.support.estates import CLUSTERS, PARTIAL, Estate, estates


if TYPE_CHECKING:
    from tailkeeper.model import Plan


def rows(plan: Plan | None) -> set[int]:
    """Return the guard's rows that a plan's changes fall under."""
    return {change.verdict.row for change in plan.changes if change.verdict} if plan else set()


@given(estates())
def test_applying_a_plan_reaches_what_is_wanted_and_a_second_plan_is_none(estate: Estate) -> None:
    """But for what others are in the way of; a name that one object wants answers what it says."""
    plan = estate.plan(approved=True)
    changes = plan.with_word("apply") if plan else ()

    estate.apply(changes)

    assert rows(estate.plan(approved=True)) <= {1, 3}
    for change in changes:
        wants = wanted_of(estate, change.key) if change.surface == "records" else []
        if change.after and len(wants) == 1:
            assert answers_of(estate, change.place, change.key) == wants[0]


@given(estates())
def test_nothing_of_others_is_ever_touched(estate: Estate) -> None:
    """Nor protected names, by no plan and no undo, even if people approve everything."""
    before = estate.theirs()
    plan = estate.plan(approved=True)
    changes = list(plan.with_word("apply")) if plan else []

    estate.apply(changes)
    applied = estate.theirs()
    undo = plan_undo(estate.world(), changes).plan
    estate.apply(undo.with_word("apply") if undo else ())

    assert before == applied == estate.theirs()
    keys = {change.key for change in changes if change.surface == "records"}
    assert not keys & {zone["name"] for zone in estate.zones}
    assert not [key for key in keys if key.startswith("_acme-challenge.")]


@given(estates())
def test_an_undo_gives_back_what_stood(estate: Estate) -> None:
    """undo(apply(x)) = x, on every surface, and undoing twice changes nothing."""
    before = estate.picture()
    changes = estate.converge()

    undo = plan_undo(estate.world(), changes).plan
    estate.apply(undo.with_word("apply") if undo else ())

    assert estate.picture() == before
    assert plan_undo(estate.world(), changes).plan is None


@given(estates(), st.sampled_from(sorted(CLUSTERS)), st.sampled_from(PARTIAL))
def test_a_partial_observation_never_yields_a_delete(
    estate: Estate, cluster: str, kind: str
) -> None:
    """Of no zone, nor of the cluster's resolver, whoever approves it."""
    estate.partial = {cluster: {kind: "timed out"}}

    plan = estate.plan(approved=True)

    deletes = [c for c in (plan.with_word("apply") if plan else ()) if c.action == "Delete"]
    assert not [c for c in deletes if c.surface == "records" or c.place.startswith(f"{cluster}/")]


def wanted_of(estate: Estate, host: str) -> list[set[str]]:
    """Return what each object that may publish a host wants it to answer."""
    zone = max(
        (z for z in estate.zones if f".{host}".endswith(f".{z['name']}")),
        key=lambda z: len(z["name"]),
    )
    found: list[Any] = [{e["target"]} for e in estate.declared if e["host"] == host]
    for bench in estate.benches.values():
        for route in bench.routes:
            notes = route["metadata"]["annotations"]
            if host in route["spec"]["hostnames"] and any(n.endswith("/expose") for n in notes):
                number = bench.carrier
                carrier = next(d for d in bench.devices if d["node_id"] == f"n{number}")
                flat = notes.get("tailkeeper.dev/target", zone["target"]) == "address"
                found.append(set(carrier["addresses"]) if flat else {carrier["name"]})
    return found


def answers_of(estate: Estate, zone: str, host: str) -> set[str]:
    """Return what a zone answers for a host."""
    records = estate.held[zone].records.values()
    kinds = {"A", "AAAA", "CNAME"}
    return {r["content"] for r in records if r["name"] == host and r["type"] in kinds}
