"""From a change of a name to what is written for it: no more, no less, and marks to match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ZoneConfig
from tailkeeper.model import Change
from tailkeeper.ownership import Mark
from tailkeeper.records.edits import edit_of
from tailkeeper.records.surface import Held, Wanted, held_by_name, plan_zone, value_of


if TYPE_CHECKING:
    from tailkeeper.records.batches import Edit


HOST = "app.example.com"
RESOURCE = "httproute/apps/app"


def _zone(affixes: Any) -> ZoneConfig:
    return ZoneConfig("example.com", "homelab", **affixes)


ZONES = st.sampled_from(
    [
        {},
        {"txt_prefix": "k8s."},
        {"txt_suffix": "-mark"},
        {"txt_prefix": "%{record_type}-"},
        {"txt_suffix": "-%{record_type}"},
    ]
).map(_zone)
CONTENTS = {
    "CNAME": ["old.tail.ts.net", "new.tail.ts.net"],
    "A": ["100.64.0.1", "100.64.0.2"],
    "AAAA": ["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::2"],
}
TYPES = st.sampled_from([("CNAME",), ("A",), ("AAAA",), ("A", "AAAA")])


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Return a value that a name may have."""
    ttl = draw(st.sampled_from([1, 300]))
    records = [
        {
            "type": kind,
            "content": draw(st.sampled_from(CONTENTS[kind])),
            "ttl": ttl,
            "proxied": False,
        }
        for kind in draw(TYPES)
    ]
    return {"records": records, "resource": RESOURCE}


def carried_out(records: list[dict[str, Any]], edit: Edit) -> list[dict[str, Any]]:
    """Return the zone after the edit, as a batch would leave it."""
    gone = {d["id"] for d in edit.deletes}
    patches = {p["id"]: p for p in edit.patches}
    kept = [r | patches.get(r["id"], {}) for r in records if r["id"] not in gone]
    return kept + [p | {"id": f"new{n}"} for n, p in enumerate(edit.posts)]


def written(zone: ZoneConfig, records: list[dict[str, Any]], before: Any, after: Any) -> Edit:
    """Return the edit of a change, given what the zone holds."""
    change = Change("records", HOST, before, after, zone.name)
    return edit_of(zone, change, held_by_name(zone, records).get(HOST, Held()))


@given(ZONES, st.none() | values(), st.none() | values())
def test_an_edit_leads_from_any_value_to_any_other(
    zone: ZoneConfig, before: Any, after: Any
) -> None:
    """The zone then holds exactly `after`, with one mark for each type and none left over."""
    foreign = {"id": "f", "name": HOST, "type": "MX", "content": "mail", "ttl": 1, "proxied": None}
    standing = carried_out([foreign], written(zone, [foreign], None, before))
    standing = [r | {"id": f"r{n}"} if r["id"] != "f" else r for n, r in enumerate(standing)]

    edit = written(zone, standing, before, after)

    reached = carried_out(standing, edit)
    assert value_of(held_by_name(zone, reached).get(HOST)) == after
    assert foreign in reached
    types = {r["type"] for r in after["records"]} if after else set()
    marks = sorted(r["name"] for r in reached if r["type"] == "TXT")
    assert marks == sorted(zone.marks.name(HOST, kind) for kind in types)
    assert (edit.size == 0) == (before == after)


@given(ZONES, values(), values())
def test_a_record_keeps_its_identity_while_its_type_stays(
    zone: ZoneConfig, before: Any, after: Any
) -> None:
    """A patch, never a delete and a post; a mark is written once, not with every move."""
    standing = carried_out([], written(zone, [], None, before))

    edit = written(zone, standing, before, after)

    kept = {r["type"] for r in before["records"]} & {r["type"] for r in after["records"]}
    deleted = {r["type"] for r in standing if r["id"] in {d["id"] for d in edit.deletes}}
    assert not kept & (deleted | {p["type"] for p in edit.posts})


def test_a_move_is_one_patch() -> None:
    """The commonest edit of all touches one record, and no mark."""
    zone = ZoneConfig("example.com", "homelab")
    values: list[Any] = [
        {"records": [{"type": "CNAME", "content": c, "ttl": 1, "proxied": False}], "resource": "r"}
        for c in CONTENTS["CNAME"]
    ]
    before, after = values
    standing = carried_out([], written(zone, [], None, before))

    edit = written(zone, standing, before, after)

    assert edit.size == 1
    assert edit.patches == ({"id": "new0", "name": HOST, **after["records"][0]},)


@pytest.mark.parametrize(
    ("after", "left"),
    [
        ([("CNAME", "new.tail.ts.net")], {"app", "cname-app"}),
        ([("A", "100.64.0.1")], {"app", "a-app"}),
        ([], set()),
    ],
)
def test_a_legacy_mark_goes_with_the_last_of_its_records(
    after: list[tuple[str, str]], left: set[str]
) -> None:
    """ExternalDNS of old may be given the zone back: its mark stays while there is a record."""
    zone = ZoneConfig("example.com", "homelab")
    old = {"type": "CNAME", "content": "old.tail.ts.net", "ttl": 1, "proxied": False}
    records: list[dict[str, Any]] = [
        {"id": "r", "name": HOST, **old},
        {"id": "m", "name": HOST, "type": "TXT", "content": Mark("homelab", RESOURCE).value},
    ]
    targets = tuple(content for _, content in after)
    wanted = {HOST: Wanted(HOST, targets, RESOURCE, "httproute")} if targets else {}

    (change,) = plan_zone(zone, held_by_name(zone, records), wanted)
    edit = written(zone, records, change.before, change.after)

    reached = carried_out(records, edit)
    assert value_of(held_by_name(zone, reached).get(HOST)) == change.after
    assert {r["name"].partition(".")[0] for r in reached if r["type"] == "TXT"} == left


def test_of_two_marks_one_is_rewritten_and_the_other_goes() -> None:
    """Where nothing but the newest format may mark a name, no second mark passes for a legacy."""
    zone, host = ZoneConfig("example.com", "homelab"), "a-app.example.com"
    record = {"id": "r", "name": host, "type": "A", "content": "100.64.0.2", "ttl": 1}
    texts = [
        {"id": n, "name": f"a-{host}", "type": "TXT", "content": Mark("homelab", n).value}
        for n in ("gateway/apps/twin", RESOURCE)
    ]
    records: list[dict[str, Any]] = [{**record, "proxied": False}, *texts]
    wanted = {host: Wanted(host, ("100.64.0.1",), "ingress/apps/app", "ingress")}

    held = held_by_name(zone, records)
    (change,) = plan_zone(zone, held, wanted)

    reached = carried_out(records, edit_of(zone, change, held[host]))
    marks = [r["content"] for r in reached if r["type"] == "TXT"]
    assert marks == [Mark("homelab", "ingress/apps/app").value]


def test_a_mark_names_owner_and_object() -> None:
    """So that ExternalDNS, and people, know whose record it is."""
    zone = ZoneConfig("example.com", "homelab", txt_prefix="k8s.")
    value = {"records": [{"type": "A", "content": "100.64.0.1", "ttl": 1, "proxied": False}]}

    edit = written(zone, [], None, {**value, "resource": RESOURCE})

    assert [post for post in edit.posts if post["type"] == "TXT"] == [
        {
            "name": "k8s.a-app.example.com",
            "type": "TXT",
            "content": '"heritage=external-dns,external-dns/owner=homelab,'
            f'external-dns/resource={RESOURCE}"',
            "ttl": 1,
        }
    ]
