"""Apply Records: one batch, journalled ahead, safe to run twice and to die in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_records
from sandbox.faults import Fault
from tailkeeper.adapters.zone_errors import Unsettled
from tailkeeper.model import Change, Verdict
from tailkeeper.records.mark_edits import passed_on


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

CHANGE = "20261121-230000-aaaaaa"


def value(content: str, host: str) -> dict[str, Any]:
    """Return the value of a name with one CNAME."""
    record = {"type": "CNAME", "content": content, "ttl": 1, "proxied": False}
    return {"records": [record], "resource": f"httproute/apps/{host}"}


def change(host: str, before: str | None, after: str | None) -> Change:
    """Return a change of a name, let through by the guard."""
    return Change(
        "records",
        f"{host}.example.com",
        value(before, host) if before else None,
        value(after, host) if after else None,
        place="example.com",
        verdict=Verdict("apply", 13),
    )


def event(outside: Outside, aws: Stack, *changes: Change) -> dict[str, Any]:
    """Return the state's input for a plan."""
    plan = aws.artifacts.pack([c.as_json() for c in changes], "plans")
    return outside.event(change_id=CHANGE, plan=plan)


def writes(outside: Outside) -> list[str]:
    """Return the writing requests that Cloudflare saw."""
    return [r["path"] for r in outside.cloudflare.requests if r["method"] != "GET"]


def contents(outside: Outside) -> dict[str, str]:
    """Return the CNAMEs of the zone."""
    (zone,) = outside.cloudflare.dump()["zones"]
    return {r["name"]: r["content"] for r in zone["records"] if r["type"] == "CNAME"}


def test_thirty_changes_are_one_batch_with_their_marks(aws: Stack, outside: Outside) -> None:
    """Thirty names and their marks go in one transaction; the journal has thirty entries."""
    plan = [change(f"n{i}", None, "gw.tail.ts.net") for i in range(30)]

    report = apply_records.handler(event(outside, aws, *plan), None)

    expected = {"surface": "records", "applied": 30, "already": 0, "conflicts": []}
    assert report == {**expected, "stale": False}
    assert len(writes(outside)) == 1
    assert len(contents(outside)) == 30
    assert {e.state for e in aws.journal.entries(CHANGE)} == {"applied"}


def test_a_second_run_writes_nothing(aws: Stack, outside: Outside) -> None:
    """What is in place already is noted as such."""
    asked = event(outside, aws, change("a", None, "gw.tail.ts.net"))
    apply_records.handler(asked, None)
    outside.cloudflare.requests.clear()

    report = apply_records.handler(asked, None)

    assert (report["applied"], report["already"]) == (0, 1)
    assert writes(outside) == []


def test_a_batch_whose_answer_was_cut_is_settled_by_reading(aws: Stack, outside: Outside) -> None:
    """The write happened, the answer did not: the state machine's retry finds it in place."""
    asked = event(outside, aws, change("a", None, "gw.tail.ts.net"))
    outside.cloudflare.faults.append(Fault(method="POST", cut="after"))

    with pytest.raises(Unsettled):
        apply_records.handler(asked, None)
    (entry,) = aws.journal.entries(CHANGE)
    report = apply_records.handler(asked, None)

    assert entry.state == "intended"
    assert (report["applied"], report["already"]) == (0, 1)
    assert [e.state for e in aws.journal.entries(CHANGE)] == ["applied"]
    assert len(writes(outside)) == 1


def test_a_name_that_somebody_changed_is_left_to_them(aws: Stack, outside: Outside) -> None:
    """Only `before` may be overwritten; the other names are written all the same."""
    apply_records.handler(event(outside, aws, change("a", None, "person.tail.ts.net")), None)

    late = change("a", "old.tail.ts.net", "gw.tail.ts.net")
    report = apply_records.handler(
        event(outside, aws, late, change("b", None, "gw.tail.ts.net")), None
    )

    assert report["conflicts"] == ["a.example.com"]
    assert contents(outside) == {
        "a.example.com": "person.tail.ts.net",
        "b.example.com": "gw.tail.ts.net",
    }


def test_one_poisoned_name_does_not_block_the_rest(aws: Stack, outside: Outside) -> None:
    """A CNAME to itself is rejected alone."""
    poison = change("bad", None, "bad.example.com")

    report = apply_records.handler(
        event(outside, aws, change("a", None, "gw.tail.ts.net"), poison), None
    )

    assert report["applied"] == 1
    assert "bad.example.com" in report["conflicts"][0]
    assert contents(outside) == {"a.example.com": "gw.tail.ts.net"}


def test_poison_costs_a_request_for_itself_and_none_for_the_rest(
    aws: Stack, outside: Outside
) -> None:
    """F16: two bad names among thirty are two refusals; what they are is read, and said."""
    good = [change(f"n{n}", None, "gw.tail.ts.net") for n in range(28)]
    bad = [change(name, None, f"{name}.example.com") for name in ("bad", "worse")]

    report = apply_records.handler(event(outside, aws, *good, *bad), None)

    assert (report["applied"], report["stale"]) == (28, False)
    assert [said.partition(":")[0] for said in report["conflicts"]] == [c.key for c in bad]
    assert len(writes(outside)) == 3


def test_a_change_of_type_never_leaves_the_name_without_an_answer(
    aws: Stack, outside: Outside
) -> None:
    """CNAME to addresses is a delete and posts in one transaction, marks included."""
    apply_records.handler(event(outside, aws, change("a", None, "gw.tail.ts.net")), None)
    before = value("gw.tail.ts.net", "a")
    records = [
        {"type": kind, "content": content, "ttl": 1, "proxied": False}
        for kind, content in (("A", "100.64.0.1"), ("AAAA", "fd7a:115c:a1e0::1"))
    ]
    after = {"records": records, "resource": "httproute/apps/a"}
    flat = Change(
        "records", "a.example.com", before, after, place="example.com", verdict=Verdict("apply", 7)
    )
    outside.cloudflare.requests.clear()

    apply_records.handler(event(outside, aws, flat), None)
    apply_records.handler(event(outside, aws, flat.inverse.judged(Verdict("apply", 0))), None)

    assert len(writes(outside)) == 2
    (zone,) = outside.cloudflare.dump()["zones"]
    assert sorted((r["type"], r["name"]) for r in zone["records"]) == [
        ("CNAME", "a.example.com"),
        ("TXT", "cname-a.example.com"),
    ]


@pytest.mark.parametrize(
    ("settings", "name"), [({"txt_suffix": "-mark"}, "a"), ({"txt_wildcard": "any"}, "*")]
)
def test_a_mark_is_found_wherever_its_name_puts_it(
    aws: Stack, outside: Outside, settings: dict[str, str], name: str
) -> None:
    """A search for the name does not find it: then the zone is read whole."""
    asked = event(outside, aws, change(name, None, "old.tail.ts.net"))
    later = event(outside, aws, change(name, "old.tail.ts.net", "gw.tail.ts.net"))
    for each in (asked, later):
        each["config"]["zones"][0] |= settings
        report = apply_records.handler(each, None)

        assert (report["applied"], report["conflicts"]) == (1, [])
    assert contents(outside) == {f"{name}.example.com": "gw.tail.ts.net"}


@pytest.mark.parametrize("mark", ["cname-a", "a-a"])
def test_a_record_that_a_person_deleted_comes_back(aws: Stack, outside: Outside, mark: str) -> None:
    """Its mark is still there, and Cloudflare takes no text twice; an outdated one goes."""
    text = '"heritage=external-dns,external-dns/owner=homelab,external-dns/resource=x"'
    (zone,) = outside.cloudflare.zones.values()
    with outside.cloudflare.account.changing(zone):
        zone.create({"type": "TXT", "name": f"{mark}.example.com", "content": text, "ttl": 1})

    report = apply_records.handler(event(outside, aws, change("a", None, "gw.tail.ts.net")), None)

    assert (report["applied"], report["conflicts"]) == (1, [])
    (held,) = outside.cloudflare.dump()["zones"]
    assert sorted(r["name"] for r in held["records"]) == ["a.example.com", "cname-a.example.com"]


def test_what_the_guard_does_not_let_through_is_not_written(aws: Stack, outside: Outside) -> None:
    """Held and refused changes cost no request at all."""
    held = change("a", None, "gw.tail.ts.net").judged(Verdict("hold", 2, ("another writer",)))

    apply_records.handler(event(outside, aws, held), None)

    assert outside.cloudflare.requests == []


def test_marks_pass_to_another_owner_in_one_batch(aws: Stack, outside: Outside) -> None:
    """No record changes; a mark that somebody rewrote meanwhile is left; twice is in place."""
    names = [change(f"n{i}", None, "gw.tail.ts.net") for i in range(8)]
    apply_records.handler(event(outside, aws, *names), None)
    (zone,) = outside.cloudflare.dump()["zones"]
    marks = [record for record in zone["records"] if record["type"] == "TXT"]
    given = [passed_on("example.com", mark, "x").judged(Verdict("apply", 0)) for mark in marks]
    lost = passed_on("example.com", {**marks[0], "content": marks[1]["content"]}, "x")
    given[0] = lost.judged(Verdict("apply", 0))
    outside.cloudflare.requests.clear()

    report = apply_records.handler(event(outside, aws, *given), None)
    again = apply_records.handler(event(outside, aws, *given), None)

    assert report["applied"] == again["already"] == 7
    assert report["conflicts"] == [given[0].key]
    assert len(writes(outside)) == 1
    (zone,) = outside.cloudflare.dump()["zones"]
    owners = {record["id"]: "owner=x," in record["content"] for record in zone["records"]}
    assert [owners[mark["id"]] for mark in marks] == [False, *[True] * 7]
    assert len(contents(outside)) == 8
