"""Taking a change back: exactly, and never over what somebody else has put there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.model import Change
from tailkeeper.undoing import net_of, plan_undo
from tests.support.worlds import PLACE, RESOLVER, Bench, route


NAMES = [f"app{n}" for n in range(4)]
A, B, C, D = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2, 3, 4))
CNAME = {"type": "CNAME", "ttl": 1, "proxied": False}


def host(before: Any, after: Any, name: str = "a") -> Change:
    """Return a change of a host in the resolver."""
    return Change("resolver", f"{name}.example.com", before, after, PLACE)


def picture(bench: Bench) -> Any:
    """Return what a world answers, whatever its records' ids are."""
    records = [{k: v for k, v in r.items() if k != "id"} for r in bench.records.values()]
    return sorted(records, key=str), bench.text, bench.split_dns


def applied(bench: Bench) -> list[Change]:
    """Bring a world in step; return what was done."""
    plan = bench.plan()
    changes = list(plan.with_word("apply")) if plan else []
    bench.apply(changes)
    return changes


def undone(bench: Bench, changes: list[Change]) -> list[Change]:
    """Take changes back; return what was done for it."""
    plan = plan_undo(bench.world(), changes).plan
    back = list(plan.with_word("apply")) if plan else []
    bench.apply(back)
    return back


@given(
    first=st.sets(st.sampled_from(NAMES), min_size=1),
    more=st.sets(st.sampled_from(NAMES)),
    moves=st.booleans(),
)
def test_an_undo_gives_back_what_was_there(first: set[str], more: set[str], *, moves: bool) -> None:
    """undo(apply(x)) = x; undoing that is apply(x) again; undoing twice changes nothing."""
    bench = Bench([route(name) for name in sorted(first)])
    applied(bench)
    bench.routes = [route(name) for name in sorted(first | more)]
    if moves:
        bench.move()
    before = picture(bench)
    changes = applied(bench)
    after = picture(bench)

    back = undone(bench, changes)
    assert picture(bench) == before
    assert plan_undo(bench.world(), changes).plan is None

    undone(bench, back)
    assert picture(bench) == after


def test_the_first_change_of_all_leaves_nothing_behind() -> None:
    """The document, the records with their marks and the nameserver are gone again."""
    bench = Bench([route("app")])
    before = picture(bench)

    undone(bench, applied(bench))

    assert picture(bench) == before


COREFILE = """\
example.com:53 {
    errors
    hosts {
        100.64.0.7 old.example.com
        fallthrough
    }
    forward . 1.1.1.1
}
"""


def test_a_take_over_is_given_back_whole() -> None:
    """The former document, to the letter, and the CronJob that wrote it."""
    writer = {"kind": "CronJob", "namespace": "dns", "name": "updater", "suspended": False}
    resolver = {**RESOLVER, "mode": "corefile", "take_over": True}
    bench = Bench([route("app")], resolver=resolver, text=COREFILE, writers=[writer])
    changes = applied(bench)
    writer["suspended"] = True

    back = {change.key: change.after for change in undone(bench, changes)}

    assert bench.text == COREFILE
    assert back["cronjob/updater"] == {"suspend": False}


def test_a_document_that_somebody_edited_stays_whole() -> None:
    """What we would write for one host would leave the edit out."""
    bench = Bench([route("app")])
    changes = applied(bench)
    bench.text = f"{bench.text}# mind the gap\n"

    plan = plan_undo(bench.world(), changes).plan

    assert plan
    refused = plan.with_word("refuse")
    assert {change.surface for change in refused} == {"resolver"}
    assert any("edited" in c.verdict.reasons[0] for c in refused if c.verdict)


@pytest.mark.parametrize(
    ("rounds", "net"),
    [
        ([host(A, B)], [(A, B)]),
        ([host(A, B), host(B, C)], [(A, C)]),
        ([host(A, B), host(B, A)], []),
        ([host(A, B), host(D, C)], [(A, C)]),
        ([host(A, B), host(A, B, "b")], [(A, B), (A, B)]),
    ],
)
def test_rounds_come_to_one_change_for_each_key(rounds: list[Change], net: list[Any]) -> None:
    """From before the first to after the last; what came to nothing is left out."""
    assert [(change.before, change.after) for change in net_of(rounds)] == net


def test_what_somebody_changed_since_stays() -> None:
    """Everything else is taken back; of the one name it is told what it holds now."""
    bench = Bench([route(name) for name in NAMES])
    changes = applied(bench)
    for record in bench.records.values():
        if (record["type"], record["name"]) == ("CNAME", "app1.example.com"):
            record["content"] = "elsewhere.example.net"

    plan = plan_undo(bench.world(), changes).plan

    assert plan
    (refused,) = plan.with_word("refuse")
    assert refused.key == "app1.example.com"
    assert refused.verdict
    assert refused.verdict.reasons == (
        "it was changed since: it holds CNAME elsewhere.example.net",
    )
    assert len(plan.with_word("apply")) == len(changes) - 1


@pytest.mark.parametrize(
    ("stranger", "word"),
    [("A", "refuse"), ("TXT", "refuse"), (None, "apply")],
)
def test_a_name_is_not_restored_over_somebody(stranger: str | None, word: str) -> None:
    """Where a deleted name was given away since, its mark would claim what others put there."""
    bench = Bench([])
    value = {"records": [{**CNAME, "content": "gw.tail.ts.net"}], "resource": "httproute/a/b"}
    change = Change("records", "app.example.com", value, None, "example.com")
    if stranger:
        bench.add(type=stranger, name="app.example.com", content="192.0.2.1")

    plan = plan_undo(bench.world(), [change]).plan

    assert plan
    assert [c.verdict.word for c in plan.changes if c.verdict] == [word]


def test_what_cannot_be_read_is_not_guessed() -> None:
    """A surface without a complete read is told, and nothing of it is planned."""
    bench = Bench([route("app")])
    changes = applied(bench)
    world = bench.world()
    world.zones["example.com"]["why"] = "503"  # type: ignore[index]

    draft = plan_undo(world, changes)

    assert draft.unread == {"records": "503"}
    assert draft.plan
    assert {change.surface for change in draft.plan.changes} == {"resolver", "split-dns"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("records", "a.gone.net", A, B, "gone.net"), "gone.net is not configured"),
        (Change("resolver", "a.example.com", A, B, "x/y/z"), "x/y/z is not configured"),
        (
            Change("resolver", "deployment/dns/external-dns", A, B, "homelab/deployments"),
            "was not found",
        ),
    ],
)
def test_a_place_that_is_gone_is_refused(change: Change, told: str) -> None:
    """With where to look, and nothing is written there."""
    plan = plan_undo(Bench([]).world(), [change]).plan

    assert plan
    (refused,) = plan.with_word("refuse")
    assert refused.verdict
    assert told in refused.verdict.reasons[0]
