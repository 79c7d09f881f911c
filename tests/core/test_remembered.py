"""What is kept of a zone says of our names, and of the wanted ones, all that the zone says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ZoneConfig
from tailkeeper.ownership import Mark
from tailkeeper.records.remembered import amended, kept_of, names_of
from tailkeeper.records.surface import Held, held_by_name, plan_zone


ZONE = ZoneConfig("example.com", "homelab")
HOSTS = ("a.example.com", "a-a.example.com", "b.example.com", "*.example.com")
KINDS = ("A", "AAAA", "CNAME", "MX")
OWNERS = ("homelab", "somebody")


@st.composite
def zones(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a zone's records: of few names, with marks of two owners in both formats."""
    records = st.tuples(st.sampled_from(HOSTS), st.sampled_from(KINDS))
    marks = st.tuples(st.sampled_from(HOSTS), st.sampled_from(KINDS), st.sampled_from(OWNERS))
    wires = [(name, kind, "x") for name, kind in draw(st.sets(records))]
    for host, kind, owner in draw(st.sets(marks)):
        name = draw(st.sampled_from(ZONE.marks.candidates(host, kind)))
        wires.append((name, "TXT", Mark(owner, "httproute/apps/x").value))
    return [
        {"id": str(n), "name": name, "type": kind, "content": content, "ttl": 1, "proxied": False}
        for n, (name, kind, content) in enumerate(wires)
    ]


def said(held: Held | None) -> Any:
    """Return what a name holds, whatever its order."""
    if not held:
        return None
    ids = [sorted(r["id"] for r in part) for part in (held.ours, held.marks, held.foreign)]
    return ids, held.resources, sorted(held.rivals), held.plain


@given(zones(), st.sets(st.sampled_from(HOSTS)))
def test_what_is_kept_is_sorted_as_in_the_zone(
    records: list[dict[str, Any]], wanted: set[str]
) -> None:
    """The same is ours, marked and foreign; the same deletes follow."""
    whole = held_by_name(ZONE, records)

    held = held_by_name(ZONE, kept_of(ZONE, records, whole, wanted))

    ours = {host for host, names in whole.items() if names.ours or names.marks}
    for host in ours | wanted:
        assert said(held.get(host)) == said(whole.get(host))
    planned, expected = plan_zone(ZONE, held, {}), plan_zone(ZONE, whole, {})
    assert {change.digest for change in planned} == {change.digest for change in expected}


@given(zones(), zones(), st.sets(st.sampled_from(HOSTS)))
def test_names_that_were_read_again_replace_what_was_kept(
    before: list[dict[str, Any]], after: list[dict[str, Any]], hosts: set[str]
) -> None:
    """Theirs are as they stand now, with their marks; all others are as they were kept."""
    names = names_of(ZONE, hosts)

    kept = amended(ZONE, before, hosts, after)

    assert [r for r in kept if r["name"] in names] == [r for r in after if r["name"] in names]
    assert [r for r in kept if r["name"] not in names] == [
        r for r in before if r["name"] not in names
    ]


def test_what_is_kept_does_not_grow_with_the_zone() -> None:
    """Ten thousand records of others leave no trace."""
    crowd = [
        {"id": str(n), "name": f"h{n}.example.com", "type": "A", "content": "192.0.2.1"}
        for n in range(10_000)
    ]

    assert kept_of(ZONE, crowd, held_by_name(ZONE, crowd), {"h7.example.com"}) == crowd[7:8]
