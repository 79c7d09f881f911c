"""Undo, the real definition: where answers lead, whom it waits for, what it leaves to others."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.stack import stack
from tests.statemachines.cases import FREE, Case
from tests.statemachines.cases_undo import CLAIM, DONE, ID, JUDGED, KNOWN, UNDOS, WRONG_INPUTS
from tests.statemachines.definitions import graphs, source, walked
from tests.statemachines.script import applying
from tests.statemachines.test_converge import state_of


if TYPE_CHECKING:
    from tests.statemachines.stage import Stage

MACHINE = source("undo")
INNER = list(graphs(MACHINE))[1:]
CAUSE = {"kind": "tailscale", "id": "event-1", "at": "2026-11-21T23:00:00Z", "by": "t", "ref": ""}
TRIES = 5
# What only this state's own call to AWS holds, and how an undo ends when that fails for good.
CALLS = {
    "Find The Change": ("GetItem", ("Find The Change",)),
    "Claim The Lease": ("if_not_exists(fence", ("Claim The Lease",)),
    "Read Config": ("GetParameter", ("Read Config", "Close As Failed", "Failed")),
    "Keep The Baseline": ("baseline_", ("Keep The Baseline", "Close As Failed", "Failed")),
    "Release The Lease": ("REMOVE holder", ("Release The Lease", "Failed")),
    "Look For Causes": ("Query", ("Look For Causes", "Done")),
}


@pytest.fixture
def undo(stage: Stage) -> Stage:
    """Return the stage with a change in its journal."""
    stack().journal.amend(ID, {"outcome": "applied"})
    return stage


def start(stage: Stage, **more: Any) -> str:
    """Start an undo of the change."""
    return stage.start({"change_id": ID, **more}, machine=stage.undo)


def own(stage: Stage, execution: str) -> list[str]:
    """Return the machine's own states in the order in which they were entered."""
    return [name for name in stage.entered(execution) if name in MACHINE["States"]]


def store(cause: dict[str, Any]) -> None:
    """Leave a cause to the holder of the lease, as a Converge that coalesces does."""
    item = {"pk": "causes", "sk": f"{cause['at']}#{cause['id']}", "cause": json.dumps(cause)}
    stack().table.put({**item, "surfaces": json.dumps(["resolver"])})
    stack().table.update("lease", "stack", "ADD asked :one", one=1)


@pytest.mark.parametrize("case", UNDOS, ids=lambda case: str(case.name))
def test_a_run(undo: Stage, case: Case) -> None:
    """An undo comes through these states to this end, and leaves the lease so."""
    undo.script.answers = dict(case.answers)

    ended = undo.ended(execution := undo.start(case.given, machine=undo.undo))

    assert own(undo, execution) == list(case.path)
    entered = undo.entered(execution)
    assert [f"{a} > {b}" for graph in INNER for a, b in walked(graph, entered)] == [*case.inner]
    assert (ended["output"] or {}).get("outcome", ended.get("error")) == case.end
    assert state_of(undo.lease()) == case.lease
    assert not undo.items("causes")
    assert not undo.converges()
    if case.name == "marks of nobody here":
        assert ended["cause"] == "BadRequest: BadRequest happened"
    elif case.lease == FREE:
        assert ended["output"]["undoes"] == case.given.get("change_id")
        assert ended["output"]["converge"] is None


@pytest.mark.parametrize("given", WRONG_INPUTS, ids=str)
def test_wrong_input_is_refused(undo: Stage, given: dict[str, Any]) -> None:
    """It fails at once, and touches nothing."""
    ended = undo.ended(execution := undo.start(given, machine=undo.undo))

    assert (ended["status"], ended["error"]) == ("FAILED", "BadInput")
    assert own(undo, execution)[-2:] == ["Is The Input Right?", "Bad Input"]
    assert (undo.lease(), undo.script.calls) == ({}, [])


def test_a_change_that_nobody_knows(stage: Stage) -> None:
    """An id that is not in the journal is told in a sentence, before anybody is waited for."""
    ended = stage.ended(execution := stage.start({"change_id": "x"}, machine=stage.undo))

    assert ended["error"] == "NoSuchChange"
    assert ended["cause"] == "There is no change x: `tailkeeper changes` lists them."
    assert own(stage, execution) == [*KNOWN[:-1], "No Such Change"]
    assert not stage.lease()


def test_a_holder_is_waited_for(undo: Stage) -> None:
    """The lease is asked for again and again; nothing is asked of its holder."""
    undo.put_lease(holder="arn:other", fence=3, expires=int(time.time()) + 150, asked=0)
    claim = "if_not_exists(fence"

    def released() -> None:
        undo.put_lease(holder="arn:other", fence=4, expires=0, asked=0)

    undo.faults.before[claim] = lambda: undo.faults.before.update({claim: released})
    undo.script.answers = {"PlanUndo": [applying("records")]}

    ended = undo.ended(execution := start(undo))

    again = ("Waited Long Enough?", "Wait For The Lease", "Claim The Lease")
    assert own(undo, execution) == [*CLAIM, *again, *JUDGED[len(CLAIM) :], *DONE]
    assert ended["output"]["outcome"] == "applied"
    assert {p["run"]["fence"] for p in undo.script.payloads("PlanUndo")} == {5}


def test_a_holder_that_does_not_end(undo: Stage) -> None:
    """After its patience an undo says so, and has done nothing."""
    held = {"holder": "arn:other", "fence": 3, "expires": int(time.time()) + 150, "asked": 0}
    undo.put_lease(**held)

    ended = undo.ended(execution := start(undo))

    assert ended["error"] == "LeaseHeld"
    assert ended["cause"].startswith("Another run has held the lease for 20 seconds.")
    assert own(undo, execution)[-2:] == ["Waited Long Enough?", "Lease Held"]
    assert own(undo, execution).count("Wait For The Lease") == 4
    assert held.items() <= undo.lease().items()
    assert not undo.script.calls


def test_causes_that_came_meanwhile_are_handed_over(undo: Stage) -> None:
    """An undo consumes no cause of others: a Converge is started for those that wait."""

    def wait(_: Any) -> dict[str, Any]:
        store(CAUSE)
        store({**CAUSE, "id": "event-2"})
        return applying("records")

    undo.script.answers = {"PlanUndo": [wait]}

    ended = undo.ended(execution := start(undo))

    assert own(undo, execution)[-2:] == ["Hand Over", "Done"]
    (converge,) = undo.converges()
    assert ended["output"]["converge"] == converge
    output = undo.ended(converge)["output"]
    assert [cause["id"] for cause in output["causes"]] == ["event-1", "event-2"]
    (gathered,) = undo.script.payloads("GatherCauses")
    assert gathered["surfaces"] == ["resolver"]
    assert not undo.items("causes")


def test_a_newcomer_leaves_its_causes_to_an_undo(undo: Stage) -> None:
    """A Converge that finds an undo at work coalesces; its cause is carried out all the same."""
    came: list[Any] = []

    def wait(_: Any) -> dict[str, Any]:
        came.append(undo.ended(undo.start({"causes": [CAUSE]})))
        return applying("records")

    undo.script.answers = {"PlanUndo": [wait]}

    ended = undo.ended(execution := start(undo))

    assert came[0]["output"] == {"outcome": "coalesced", "holder": execution}
    assert undo.ended(ended["output"]["converge"])["output"]["causes"] == [CAUSE]


def test_what_the_functions_are_handed(undo: Stage) -> None:
    """The change, why, what takes it back; nobody hurries the judge, and nothing is taken back."""
    undo.script.answers = {"PlanUndo": [applying("records", plan={"inline": ["back"]})]}

    undo.ended(start(undo, by="me", causes=[CAUSE]))

    (plan,) = undo.script.payloads("PlanUndo")
    assert plan["change_id"] == ID
    assert [(c["kind"], c["id"], c["by"]) for c in plan["causes"]] == [
        ("undo", ID, "me"),
        ("tailscale", "event-1", "t"),
    ]
    (applied,) = undo.script.payloads("ApplyRecords")
    assert (applied["plan"], applied["round"]) == ({"inline": ["back"]}, 1)
    (judge,) = undo.script.payloads("JudgeProof")
    assert (judge["asked"], judge["round"]) == (None, 1)
    (close,) = undo.script.payloads("CloseChange")
    assert (close["undone"], close["causes"]) == (False, plan["causes"])


def test_a_hand_over_that_fails_is_left_to_the_sweep(undo: Stage) -> None:
    """The undo is done all the same, and what waits goes on waiting."""
    stack().table.put({"pk": "causes", "sk": "no JSON", "cause": "{"})

    ended = undo.ended(execution := start(undo))

    assert own(undo, execution)[-2:] == ["Hand Over", "Done"]
    assert (ended["output"]["outcome"], len(undo.items("causes"))) == ("in_sync", 1)


@pytest.mark.parametrize("state", ["Claim The Lease", "Release The Lease", "Keep The Baseline"])
def test_a_call_to_aws_whose_answer_is_lost(undo: Stage, state: str) -> None:
    """It is made again, which changes neither the end nor the lease."""
    undo.faults.late = True
    undo.faults.left[CALLS[state][0]] = TRIES - 1
    undo.script.answers = {"PlanUndo": [applying("records")]}

    ended = undo.ended(execution := start(undo))

    assert own(undo, execution) == [*JUDGED, *DONE]
    assert (ended["output"]["outcome"], state_of(undo.lease())) == ("applied", FREE)
    assert not any(undo.faults.left.values())


@pytest.mark.parametrize("state", CALLS)
def test_a_call_to_aws_that_fails_for_good(undo: Stage, state: str) -> None:
    """The execution ends where it stands; what was not released expires."""
    text, end = CALLS[state]
    undo.faults.left[text] = TRIES * 2
    undo.script.answers = {"PlanUndo": [applying("records")]}

    ended = undo.ended(execution := start(undo))

    assert tuple(own(undo, execution)[-len(end) :]) == end
    assert ended["status"] == ("SUCCEEDED" if end[-1] == "Done" else "FAILED")
    assert undo.faults.left[text] == TRIES
