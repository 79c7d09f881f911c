"""Who answers a name: ExternalDNS's rules for plans, each as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.config import ZoneConfig
from tailkeeper.ownership import Mark
from tailkeeper.records.claims import Unread, settled, zone_wanted
from tailkeeper.records.held import Held, held_by_name
from tailkeeper.records.surface import Wanted, plan_zone


if TYPE_CHECKING:
    from tailkeeper.model import Change

ZONE = ZoneConfig("example.com", "me")
HOST = "foo.example.com"
V1, V2, A5, SIX = (f"ingress/default/foo-{name}" for name in ("v1", "v2", "a5", "aaaa"))


def claim(resource: str, *targets: str, **more: Any) -> Wanted:
    """Return what one object wants of foo."""
    return Wanted(HOST, targets, resource, resource.partition("/")[0], **more)


def standing(*rows: tuple[str, str, str], owner: str = "me") -> list[dict[str, Any]]:
    """Return foo's records of (type, content, resource), each with its mark."""
    records = []
    for kind, content, resource in rows:
        parts = {"ttl": 1, "proxied": False}
        records.append({"id": content, "name": HOST, "type": kind, "content": content, **parts})
        mark = {"type": "TXT", "content": Mark(owner, resource).value, "ttl": 1}
        records.append({"id": f"m-{kind}", "name": f"{kind.lower()}-{HOST}", **mark})
    return list({record["id"]: record for record in records}.values())


def planned(records: list[dict[str, Any]], *claims: Wanted, zone: ZoneConfig = ZONE) -> Any:
    """Return foo's change as (action, {type: contents}, obstacle), or None."""
    held = held_by_name(zone, records)
    wanted = zone_wanted({HOST: claims} if claims else {}, held, "free", [])
    changes: list[Change] = plan_zone(zone, held, wanted)
    if not changes:
        return None
    (change,) = changes
    answers: dict[str, list[str]] = {}
    for record in change.after["records"] if change.after else ():
        answers.setdefault(record["type"], []).append(record["content"])
    return change.action, answers, bool(change.obstacle)


CNAME_V1 = ("CNAME", "v1.net", V1)
A_FIVE = ("A", "5.5.5.5", A5)
AAAA_ONE = ("AAAA", "2001:db8::1", SIX)


@pytest.mark.parametrize(
    ("rows", "claims", "expected"),
    [
        ([], [claim(V1, "v1.net")], ("Create", {"CNAME": ["v1.net"]}, False)),
        ([CNAME_V1], [claim(V1, "v1.net")], None),
        ([CNAME_V1], [], ("Delete", {}, False)),
        ([CNAME_V1], [claim(V1, "new.net")], ("Update", {"CNAME": ["new.net"]}, False)),
        # The object that has the name keeps it; one that let go is followed by the smallest.
        ([CNAME_V1], [claim(V2, "a.net"), claim(V1, "v1.net")], None),
        ([CNAME_V1], [claim(V2, "v2.net")], ("Update", {"CNAME": ["v2.net"]}, False)),
        ([], [claim(V2, "v2.net"), claim(V1, "v1.net")], ("Create", {"CNAME": ["v1.net"]}, False)),
        ([], [claim(V1, "9.9.9.9"), claim(V2, "10.0.0.1")], ("Create", {"A": ["9.9.9.9"]}, False)),
        (
            [],
            [claim(V1, "1.1.1.1", "1.1.1.2"), claim(V2, "9.9.9.9")],
            ("Create", {"A": ["9.9.9.9"]}, False),
        ),
        # Each record type is settled by itself: two objects make a name dual-stack.
        (
            [],
            [claim(A5, "5.5.5.5"), claim(SIX, "2001:db8::1")],
            ("Create", {"A": ["5.5.5.5"], "AAAA": ["2001:db8::1"]}, False),
        ),
        ([A_FIVE, AAAA_ONE], [claim(A5, "5.5.5.5"), claim(SIX, "2001:db8::1")], None),
        ([A_FIVE, AAAA_ONE], [claim(A5, "5.5.5.5")], ("Update", {"A": ["5.5.5.5"]}, False)),
        # A CNAME stands with nothing else: addresses win, and it goes.
        (
            [CNAME_V1],
            [claim(V1, "v1.net"), claim(A5, "5.5.5.5"), claim(SIX, "2001:db8::1")],
            ("Update", {"A": ["5.5.5.5"], "AAAA": ["2001:db8::1"]}, False),
        ),
        ([], [claim(V1, "v1.net", "5.5.5.5")], ("Create", {"A": ["5.5.5.5"]}, False)),
        ([A_FIVE], [claim(V1, "v1.net")], ("Update", {"CNAME": ["v1.net"]}, False)),
        ([A_FIVE], [claim(A5, "5.5.5.5", "5.5.5.5")], None),
        ([], [claim(V1, "b.net", "a.net")], ("Create", {"CNAME": ["a.net"]}, False)),
    ],
)
def test_what_is_ours_is_planned_as_external_dns_plans_it(
    rows: list[tuple[str, str, str]], claims: list[Wanted], expected: Any
) -> None:
    """Whatever the order of the claims."""
    assert planned(standing(*rows), *claims) == expected
    assert planned(standing(*rows), *reversed(claims)) == expected


@pytest.mark.parametrize(
    ("theirs", "ours", "claims", "expected"),
    [
        ([A_FIVE], [], [claim(A5, "5.5.5.5")], ("Create", {"A": ["5.5.5.5"]}, True)),
        ([A_FIVE], [], [claim(SIX, "2001:db8::1")], ("Create", {"AAAA": ["2001:db8::1"]}, True)),
        ([A_FIVE], [], [], None),
        ([A_FIVE], [AAAA_ONE], [claim(SIX, "::2")], ("Update", {"AAAA": ["::2"]}, False)),
        (
            [A_FIVE],
            [AAAA_ONE],
            [claim(SIX, "::2", "6.6.6.6")],
            ("Update", {"AAAA": ["::2"]}, False),
        ),
        ([A_FIVE], [AAAA_ONE], [claim(SIX, "new.net")], ("Update", {"CNAME": ["new.net"]}, True)),
        ([A_FIVE], [AAAA_ONE], [], ("Delete", {}, False)),
    ],
)
def test_no_record_type_is_added_beside_somebody_elses(
    theirs: Any, ours: Any, claims: list[Wanted], expected: Any
) -> None:
    """What we have there goes on being updated."""
    records = [*standing(*theirs, owner="them"), *standing(*ours)]

    assert planned(records, *claims) == expected


def test_each_type_is_marked_for_its_own_object() -> None:
    """The next plan knows which of them asked for it."""
    held: dict[str, Held] = {}
    claims = [claim(SIX, "2001:db8::1", ttl=60), claim(A5, "5.5.5.5", comment="five")]
    (change,) = plan_zone(ZONE, held, zone_wanted({HOST: claims}, held, "free", []))

    assert [mark["content"] for mark in change.after["marks"]] == [
        Mark("me", A5).value,
        Mark("me", SIX).value,
    ]
    assert change.after["records"] == [
        {"type": "A", "content": "5.5.5.5", "ttl": 1, "proxied": False, "comment": "five"},
        {"type": "AAAA", "content": "2001:db8::1", "ttl": 60, "proxied": False},
    ]


@pytest.mark.parametrize(
    ("unread", "kept"),
    [
        (Unread({"ingress"}), True),
        (Unread((), {HOST}), True),
        (Unread({"httproute"}, {"bar.example.com"}), False),
    ],
)
def test_nobody_takes_a_name_whose_owner_may_be_unread(unread: Unread, *, kept: bool) -> None:
    """Its object may still want it: what stands is left, and that is told."""
    held, reports = held_by_name(ZONE, standing(CNAME_V1))[HOST], list[str]()

    won = settled(HOST, [claim("httproute/apps/foo", "x.net")], held, reports, unread)

    assert (won is None) == kept
    assert bool(reports) == kept


@pytest.mark.parametrize(
    ("refused", "other", "targets"), [(V1, V2, ()), (V2, V1, ("v1.net",)), (V2, A5, ("v1.net",))]
)
def test_a_refused_gateway_keeps_its_name_and_takes_no_other(
    refused: str, other: str, targets: tuple[str, ...]
) -> None:
    """The last good answer of its own name stays; a name of somebody else is not blocked by it."""
    held = held_by_name(ZONE, standing(CNAME_V1))[HOST]

    won = settled(HOST, [claim(refused, gateway="g"), claim(other, "v1.net")], held, [])

    assert won
    assert won.targets == targets


def test_two_gateways_answers_have_not_moved_together() -> None:
    """Row 7 of the guard is for one gateway; two are judged as any other update."""
    one = claim(A5, "5.5.5.5", gateway="g1", former=frozenset({"4.4.4.4"}))
    two = claim(SIX, "::1", gateway="g2", former=frozenset({"4.4.4.4"}))

    both = settled(HOST, [one, two], Held(), [])

    assert both
    assert (both.former, both.parts) == (frozenset(), (one, two))
