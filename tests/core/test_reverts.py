"""Writers who bring their own values back: written over once, told by name, then held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailkeeper.coexistence.ledger import Line, noted, settled
from tailkeeper.coexistence.reverts import SWEEPS_A_DAY
from tailkeeper.planning import Draft, plan_world
from tailkeeper.resolver.workloads import DOCUMENT_LINE
from tests.support.worlds import PLACE, SURFACES, Bench, route


PERIOD, NOW = 300.0, 1_000_000.0
ARGO = {"manager": "argocd-controller", "operation": "Update", "time": "2026-11-28T08:00:00Z"}
NAME = "a.example.com"


def look(bench: Bench, *approved: str, now: float = NOW) -> Draft:
    """Return the draft of all surfaces."""
    world = replace(bench.world(), approved=frozenset(approved))
    return plan_world(world, SURFACES, now, PERIOD)


def write(bench: Bench, draft: Draft, now: float = NOW) -> None:
    """Apply what may be, and note it in the ledgers as the Apply functions do."""
    applied = draft.plan.with_word("apply") if draft.plan else ()
    before = bench.text
    bench.apply(applied)
    lines: dict[str, dict[str, Line]] = {
        place: dict(kept) for place, kept in bench.memory.ledgers.items()
    }
    notes = [(c.place, c.key, c.before, c.after) for c in applied if c.surface != "resolver"]
    owner = bench.owners[0]["manager"] if bench.owners else "somebody"
    if before != bench.text:
        notes.append((PLACE, DOCUMENT_LINE, before, bench.text))
        bench.owners = []
    for place, key, old, new in notes:
        who = owner if place == PLACE else "somebody"
        mine = lines.setdefault(place, {})
        mine |= settled({key: noted(mine.get(key), old, new, who, now)}, [key])
    bench.memory = replace(bench.memory, ledgers=lines)


def published() -> Bench:
    """Return a world in step, and in our ledgers."""
    bench = Bench([route("a"), route("b")])
    write(bench, look(bench))
    assert look(bench).plan is None
    return bench


def by_argo(bench: Bench) -> None:
    """Let Argo CD bring back what git says."""
    bench.text, bench.owners = "100.64.0.66 a.example.com\n", [ARGO]


def by_hand(bench: Bench) -> None:
    """Let somebody point a record of ours elsewhere."""
    record = next(r for r in bench.records.values() if r["name"] == NAME and r["type"] == "CNAME")
    record["content"] = "elsewhere.example.net"


def by_admin(bench: Bench) -> None:
    """Let somebody point the domain at another nameserver."""
    bench.split_dns["example.com"] = ["100.64.0.66"]


CASES = [
    (by_argo, (PLACE, NAME), "argocd-controller"),
    (by_hand, ("example.com", NAME), "somebody"),
    (by_admin, ("tailnet", "example.com"), "somebody"),
]


def verdicts(draft: Draft) -> dict[tuple[str, str], tuple[str, int]]:
    """Return each change's word and row."""
    changes = draft.plan.changes if draft.plan else ()
    return {(c.place, c.key): (c.verdict.word, c.verdict.row) for c in changes if c.verdict}


@pytest.mark.parametrize(("revert", "key", "who"), CASES)
def test_two_reverts_hold_and_name_the_writer(revert: Any, key: Any, who: str) -> None:
    """F11: the first is written over and reported; the second waits for a person."""
    bench = published()
    revert(bench)
    first = look(bench)
    write(bench, first)
    assert look(bench).plan is None
    revert(bench)
    second = look(bench)

    assert verdicts(first)[key][0] == "apply"
    assert any(report.startswith(who) and "once" in report for report in first.reports)
    assert verdicts(second)[key] == ("hold", 2)
    assert second.plan
    (why,) = {c.verdict.reasons for c in second.plan.changes if c.verdict and c.key == key[1]}
    assert why[0].startswith(f"{who} brought ")
    assert look(bench).plan == second.plan, "a sweep that looks again finds the same reasons"


@pytest.mark.parametrize(("revert", "key", "who"), CASES)
def test_what_ends_a_hold(revert: Any, key: Any, who: str) -> None:
    """A day after we last wrote over him, or a person's approval; `take_over` is no licence."""
    bench = published()
    for _ in range(2):
        revert(bench)
        held = look(bench)
        write(bench, held)
    assert held.plan
    assert verdicts(held)[key] == ("hold", 2), who
    digest = next(c.digest for c in held.plan.changes if (c.place, c.key) == key)

    later = look(bench, now=NOW + SWEEPS_A_DAY * PERIOD + 1)
    approved = look(bench, digest)
    bench.resolver["take_over"] = bench.zone["take_over"] = True
    taken = look(bench)

    words = [verdicts(draft)[key][0] for draft in (later, approved, taken)]
    assert words == ["apply", "apply", "hold"]


def test_an_approval_lets_one_write_through() -> None:
    """The same writer, back again after that, is held again at once."""
    bench = published()
    for _ in range(2):
        by_argo(bench)
        held = look(bench)
        write(bench, held)
    assert held.plan
    write(bench, look(bench, *(c.digest for c in held.plan.changes)))
    assert look(bench).plan is None
    by_argo(bench)

    assert verdicts(look(bench))[PLACE, NAME] == ("hold", 2)


def test_each_writer_has_one_try() -> None:
    """Argo CD once and kubectl once is no fight between one of them and us."""
    bench = published()
    for manager in ("argocd-controller", "kubectl-patch"):
        by_argo(bench)
        bench.owners = [{**ARGO, "manager": manager}]
        draft = look(bench)
        assert verdicts(draft)[PLACE, NAME][0] == "apply"
        write(bench, draft)


def test_a_document_that_is_gone_is_written_again_however_often() -> None:
    """A cluster that is rebuilt again and again is no writer: there is nothing to write over."""
    bench = published()
    for _ in range(3):
        bench.text = None
        draft = look(bench)
        assert {word for word, _ in verdicts(draft).values()} == {"apply"}
        write(bench, draft)


@pytest.mark.parametrize(
    ("text", "owners", "held"),
    [
        ("100.64.0.66 nas.example.com\n", [], "belongs to somebody"),
        ("", [ARGO], "belongs to argocd-controller"),
        ("# Written by tailkeeper; edits are overwritten.\n", [ARGO], "belongs to argocd"),
        ("# Written by tailkeeper; edits are overwritten.\n", [], ""),
        ("", [], ""),
        (None, [], ""),
    ],
)
def test_a_key_that_we_never_wrote_is_not_taken(text: Any, owners: Any, held: str) -> None:
    """Only `take_over` is the order to; what holds nothing and belongs to nobody is free."""
    bench = Bench([route("a")], text=text, owners=owners)

    draft = look(bench)
    bench.resolver["take_over"] = True
    taken = look(bench)

    assert draft.plan
    reasons = [c.verdict.reasons[0] for c in draft.plan.with_word("hold") if c.verdict]
    assert all(held in reason and "take_over" in reason for reason in reasons)
    assert bool(reasons) == bool(held)
    assert taken.plan
    assert not taken.plan.with_word("hold")


def test_our_own_later_write_is_no_revert() -> None:
    """A gateway that moves twice, or a route that goes and comes, is us."""
    bench = published()
    bench.move()
    write(bench, look(bench))
    bench.carrier, bench.addresses = 1, ["100.64.0.1"]
    bench.devices[0]["connected"] = True
    draft = look(bench)

    assert {word for word, _ in verdicts(draft).values()} == {"apply"}
    assert not [report for report in draft.reports if "once" in report]
