"""Converge, the real definition: where each answer leads, and what is left behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.statemachines.cases import (
    ENDS,
    FAILURES,
    FREE,
    HELD,
    NO_PUSH,
    SURFACE_FAILURES,
    WRONG_INPUTS,
    Case,
)
from tests.statemachines.definitions import graphs, source, walked
from tests.statemachines.script import Failure, applying


if TYPE_CHECKING:
    from typing import Any

    from tests.statemachines.stage import Stage

MACHINE = source("converge")
INNER = list(graphs(MACHINE))[1:]


def state_of(lease: dict[str, Any]) -> str:
    """Return in which of three states a lease item is."""
    if not lease:
        return "untouched"
    is_free = lease["expires"] == 0 and "holder" not in lease
    is_held = lease["expires"] > time.time() + 100 and "holder" in lease
    return FREE if is_free else HELD if is_held else f"neither: {lease}"


def inner_ways(entered: list[str]) -> list[str]:
    """Return the transitions within branches, sorted, but for the one that most runs take."""
    taken = (f"{a} > {b}" for graph in INNER for a, b in walked(graph, entered))
    return sorted(way for way in taken if way != NO_PUSH)


@pytest.mark.parametrize(
    "case", [*ENDS, *SURFACE_FAILURES, *FAILURES], ids=lambda case: str(case.name)
)
def test_a_run(stage: Stage, case: Case) -> None:
    """A run comes through these states to this end, and leaves the lease so."""
    stage.script.answers = dict(case.answers)

    ended = stage.ended(execution := stage.start(case.given))

    entered = stage.entered(execution)
    assert [name for name in entered if name in MACHINE["States"]] == list(case.path)
    assert inner_ways(entered) == sorted(case.inner)
    assert (ended["output"] or {}).get("outcome", ended.get("error")) == case.end
    assert state_of(stage.lease()) == case.lease
    if case.lease == FREE:
        assert not stage.items("causes")
        assert stage.lease()["fence"] == 1


@pytest.mark.parametrize("given", WRONG_INPUTS, ids=str)
def test_wrong_input_is_refused(stage: Stage, given: dict[str, Any]) -> None:
    """What would poison the stored causes, or turn a dry run into a real one, fails at once."""
    ended = stage.ended(execution := stage.start(given))

    assert (ended["status"], ended["error"]) == ("FAILED", "BadInput")
    assert stage.entered(execution)[-1] == "Bad Input"
    assert not stage.lease()
    assert not stage.items("causes")
    assert not stage.script.calls


def test_no_input_is_a_person_who_wants_everything(stage: Stage) -> None:
    """An execution that was started with `{}` names itself as the cause, for all surfaces."""
    stage.ended(stage.start({}, "by-hand"))

    payload = stage.script.payloads("GatherCauses")[0]
    assert [(c["kind"], c["id"]) for c in payload["causes"]] == [("person", "by-hand")]
    assert payload["surfaces"] == ["records", "resolver", "split-dns"]
    assert payload["run"]["fence"] == 1


def test_a_dry_run_stores_nothing_and_takes_no_lease(stage: Stage) -> None:
    """A dry run goes ahead beside a live holder, and answers with the plan."""
    held = {"holder": "arn:other", "fence": 3, "expires": int(time.time()) + 150, "asked": 0}
    stage.put_lease(**held)
    stage.script.answers["PlanChange"] = [applying("records", plan={"inline": ["a change"]})]

    ended = stage.ended(stage.start({"dry_run": True}))

    assert ended["output"]["changes"] == {"inline": ["a change"]}
    assert {"holder": "arn:other", "fence": 3, "asked": 0}.items() <= stage.lease().items()
    assert not stage.items("causes")
    assert {p["run"]["fence"] for p in stage.script.payloads("PlanChange")} == {0}


def test_what_one_surface_applied_stays_when_another_fails(stage: Stage) -> None:
    """The failed surface is reported beside the written ones, and nothing is undone."""
    stage.script.answers = {
        "PlanChange": [applying("records", "resolver", "split-dns")],
        "ApplyResolver": [Failure("Forbidden")],
    }

    ended = stage.ended(stage.start())

    written = stage.script.payloads("CloseChange")[0]["written"]
    assert [report.get("written", 0) for report in written] == [1, 0, 1]
    assert "Forbidden" in written[1]["failed"]
    assert "Forbidden" in ended["cause"]
    assert len(stage.script.payloads("ApplyRecords")) == 1


def test_an_undo_gets_the_inverse_and_a_round_of_its_own(stage: Stage) -> None:
    """Each surface is asked to take back what the judgement says, once, under another round."""
    stage.script.answers = {
        "PlanChange": [applying("records", plan={"inline": ["forward"]})],
        "JudgeProof": [
            {
                "word": "worse",
                "proof": {"word": "worse"},
                "undo": {"inline": ["back"]},
                "undo_counts": {"records": 1, "resolver": 0, "split-dns": 0},
            }
        ],
    }

    stage.ended(stage.start())

    forward, back = stage.script.payloads("ApplyRecords")
    assert (forward["plan"], back["plan"]) == ({"inline": ["forward"]}, {"inline": ["back"]})
    assert (str(forward["round"]), back["round"]) == ("1", "1-undo")
    assert back["change_id"] == forward["change_id"]
    assert stage.script.payloads("CloseChange")[0]["undone"] is True
