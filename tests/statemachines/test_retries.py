"""Converge's Retry rules: what passes is overcome in every state, what is final is not tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.statemachines.cases import THROTTLED_TRIES
from tests.statemachines.definitions import source, states
from tests.statemachines.script import DEFAULTS, NOTHING, Failure, applying, judged
from tests.statemachines.stage import LEASE_SECONDS


if TYPE_CHECKING:
    from tests.statemachines.stage import Stage

INVOKING = {
    name: state
    for name, state in states(source("converge")).items()
    if state.get("Resource") == "arn:aws:states:::lambda:invoke"
}
FINAL, PASSING = INVOKING["Gather Causes"]["Retry"]
THROTTLED = INVOKING["Apply Records"]["Retry"][1]
AT_CLOUDFLARE = {"Observe Zones", "Apply Records", "Undo Records"}
WINDOW = 300  # seconds for which Cloudflare blocks who asks too often
FUNCTIONS = sorted(set(DEFAULTS) - {"JudgeSweep", "RedeliverWebhooks"})
TRIES = 4


def everything(word: str = "proven") -> dict[str, list[Any]]:
    """Return answers by which every function is called."""
    held = {"counts": NOTHING | {"held": 1}, "probes": [{"inline": ["a"]}]}
    plan = applying("records", "resolver", "split-dns", **held)
    return {"PlanChange": [plan], "JudgeProof": [judged(word)]}


def test_every_function_is_tried_by_the_same_rules() -> None:
    """The rules tried below at some of the states are those of all that invoke a function."""
    rules = [FINAL, PASSING]
    assert {name for name, state in INVOKING.items() if state["Retry"] != rules} == AT_CLOUDFLARE
    for name in AT_CLOUDFLARE:
        assert INVOKING[name]["Retry"] == [FINAL, THROTTLED, PASSING]
    assert FINAL == {"ErrorEquals": ["LeaseLost"], "MaxAttempts": 0}
    assert PASSING["MaxAttempts"] == TRIES - 1


@pytest.mark.parametrize("kind", PASSING["ErrorEquals"])
def test_what_passes_is_overcome(stage: Stage, kind: str) -> None:
    """Each error that the Retry names is tried again, three times, and forgotten."""
    stage.script.answers["ObserveZones"] = [*[Failure(kind)] * 3, DEFAULTS["ObserveZones"]]

    assert stage.ended(stage.start())["output"]["outcome"] == "in_sync"
    assert len(stage.script.payloads("ObserveZones")) == TRIES


def test_who_is_throttled_waits_longer_than_cloudflare_does() -> None:
    """The pauses outlast the window; a pause and a function's minute are within the lease."""
    first, most = THROTTLED["IntervalSeconds"], THROTTLED["MaxDelaySeconds"]
    grown = (first * THROTTLED["BackoffRate"] ** n for n in range(THROTTLED["MaxAttempts"]))
    pauses = [min(pause, most) for pause in grown]

    assert sum(pauses[:-1]) > WINDOW
    assert THROTTLED["MaxAttempts"] == THROTTLED_TRIES - 1
    assert max(pauses) + 60 < LEASE_SECONDS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_may_fail_once(stage: Stage, function: str) -> None:
    """A throttled first call of any function changes nothing in the end."""
    stage.script.answers = everything()
    usual = stage.script.answers.get(function, [DEFAULTS[function]])
    stage.script.answers[function] = [Failure("Throttled"), *usual]

    assert stage.ended(stage.start())["output"]["outcome"] == "applied"


@pytest.mark.parametrize("function", ["ApplyRecords", "ApplyResolver", "ApplySplitDns"])
def test_an_undo_may_fail_once(stage: Stage, function: str) -> None:
    """A throttled undo is tried again too."""
    stage.script.answers = everything("worse")
    stage.script.answers[function] = [{}, Failure("Throttled"), {}]

    assert stage.ended(stage.start())["output"]["outcome"] == "undone"
    assert len(stage.script.payloads(function)) == 3


@pytest.mark.parametrize(("kind", "tries"), [("LeaseLost", 1), ("KeyError", 1), ("Conflict", 4)])
@pytest.mark.parametrize("function", ["ObserveCluster", "ApplyRecords", "CloseChange"])
def test_what_is_final_is_not_tried_again(
    stage: Stage, function: str, kind: str, tries: int
) -> None:
    """A lost lease and a bug end the state at the first try, what passes at the fourth."""
    stage.script.answers = everything()
    stage.script.answers[function] = [Failure(kind)]

    assert stage.ended(stage.start())["status"] == "FAILED"
    closes_twice = function == "CloseChange" and kind != "LeaseLost"
    assert len(stage.script.payloads(function)) == tries * (2 if closes_twice else 1)
