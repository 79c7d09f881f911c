"""Plan Undo: a change of its own, the two that name each other, decisions, and what died before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import plan_undo
from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.adapters.opening import id_of
from tailkeeper.model import Change
from tests.support.handlers import RUN
from tests.support.worlds import PLACE, Bench, documents


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ID, OWN = "20261121-220000-aaaaaa", id_of(RUN)
CAUSE = {"kind": "undo", "id": ID, "at": "2026-11-21T23:00:00Z", "by": "me", "ref": ""}
A, B, C = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2, 3))
MOVED = Change("resolver", "app.example.com", A, B, PLACE)
BACK = MOVED.inverse


def text(address: str) -> str:
    """Return a hosts file of ours with one entry."""
    return f"# Written by tailkeeper; edits are overwritten.\n{address} app.example.com\n"


def plan(address: str = "100.64.0.2", undoes: str = ID, **run: Any) -> dict[str, Any]:
    """Run the state in a world whose resolver answers this."""
    bench = Bench([], text=text(address), split_dns={"example.com": ["100.64.0.9"]})
    world = bench.world()
    event = {
        "run": {**RUN, **run},
        "config": bench.config.as_json(),
        "change_id": undoes,
        "causes": [CAUSE],
        "observed": {name: {"inline": seen} for name, seen in documents(world).items()},
    }
    return plan_undo.handler(event, None)


@pytest.fixture
def journal(aws: Stack) -> Stack:
    """Return a stack with a change that moved a host, and another that did not come to pass."""
    conflict = Change("resolver", "other.example.com", A, B, PLACE)
    results = [(MOVED, APPLIED, ""), (conflict, CONFLICT, "")]
    aws.journal.receipt(ID, round_of(1, 1), results)
    aws.journal.amend(ID, {"outcome": "applied"})
    return aws


def next_run(aws: Stack) -> str:
    """Let another run hold the lease; return its name."""
    aws.table.update("lease", "stack", "SET holder = :next", next="arn:next")
    return "arn:next"


def changes(answer: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the verdict, before and after of each planned change."""
    found = [Change.from_json(document) for document in answer["plan"]["inline"]]
    return [(c.verdict.word, c.before, c.after) for c in found if c.verdict]


def test_an_undo_is_a_change_of_its_own(journal: Stack) -> None:
    """Opened with its cause; each of the two names the other; the probes are those of its plan."""
    answer = plan()

    assert changes(answer) == [("apply", B, A)]
    assert (answer["apply"], answer["apply_counts"]["resolver"], answer["counts"]["update"]) == (
        True,
        1,
        1,
    )
    assert answer["change_id"] == OWN == journal.journal.open_change()
    head, undone = journal.journal.head(OWN) or {}, journal.journal.head(ID) or {}
    assert (head["undoes"], head["causes"], undone["undone_by"]) == (ID, [CAUSE], [OWN])
    assert answer["plan"]["inline"][0]["causes"] == [CAUSE]
    assert answer["probes"]


def test_planning_twice_opens_one_change(journal: Stack) -> None:
    """A state that is tried again finds its own change, and adopts nothing."""
    first = plan()

    assert plan() == first
    assert (journal.journal.head(ID) or {})["undone_by"] == [OWN]


def test_no_sweep_does_again_what_was_undone(journal: Stack) -> None:
    """Its digest is decided, for as long as the journal is kept; undoing the undo lifts that."""
    plan()
    (item,) = journal.table.query("decisions")
    assert (item["sk"], item["word"], item["change_id"]) == (MOVED.digest, "undone", ID)
    assert item["expires_at"] > 0
    journal.journal.receipt(OWN, round_of(1, 1), [(BACK, APPLIED, "")])
    journal.journal.close(OWN, {"outcome": "applied"})

    again = plan("100.64.0.1", undoes=OWN, holder=next_run(journal))

    assert changes(again) == [("apply", A, B)]
    assert journal.table.query("decisions") == []
    heads = [journal.journal.head(change) or {} for change in (ID, OWN)]
    assert [head["undone_by"] for head in heads] == [[], [id_of({**RUN, "holder": "arn:next"})]]


@pytest.mark.parametrize(
    ("address", "word"), [("100.64.0.1", None), ("100.64.0.3", "refuse")], ids=["undone", "changed"]
)
def test_what_is_not_as_it_was_left(journal: Stack, address: str, word: str | None) -> None:
    """Undone already: there is no change at all. Changed since: told in a change that refuses."""
    answer = plan(address)

    assert [found[0] for found in changes(answer)] == ([word] if word else [])
    assert (answer["apply"], answer["counts"]["refused"]) == (False, int(bool(word)))
    assert journal.journal.open_change() == (OWN if word else None)
    assert "undone_by" not in (journal.journal.head(ID) or {})


def test_a_dry_run_writes_nothing_down(journal: Stack) -> None:
    """It tells the plan, and that is all."""
    before = journal.table.query("changes")

    answer = plan(dry_run=True, fence=0)

    assert changes(answer) == [("apply", B, A)]
    assert journal.table.query("changes") == before
    assert (journal.table.query("decisions"), journal.journal.open_change()) == ([], None)


@pytest.mark.parametrize("address", ["100.64.0.1", "100.64.0.2"], ids=["written", "not yet"])
def test_an_undo_that_died_is_gone_on_with(journal: Stack, address: str) -> None:
    """Its change is adopted with its baseline, whether its write had come through or not."""
    plan()
    journal.journal.amend(OWN, {"baseline": [{"inline": ["kept"]}]})

    answer = plan(address, holder=next_run(journal))

    assert (answer["change_id"], answer["apply"]) == (OWN, True)
    assert answer["baseline"] == [{"inline": ["kept"]}]
    assert (journal.journal.head(OWN) or {})["execution"] == "arn:next"


def test_what_a_dead_run_left_open_is_closed(journal: Stack) -> None:
    """Also when that is the change to undo: whatever it has written, its journal tells."""
    journal.journal.begin(ID, {"causes": []})

    answer = plan()

    dead = journal.journal.head(ID) or {}
    assert (dead["outcome"], dead["undone_by"]) == ("failed", [OWN])
    assert "its run died" in dead["why"]
    assert (answer["change_id"], journal.journal.open_change()) == (OWN, OWN)


def test_a_run_that_lost_the_lease_plans_nothing(journal: Stack) -> None:
    """Its successor may have another change open."""
    journal.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        plan()
