"""Sweep, the real definition: what it starts, when it waits, and what it does twice."""

from __future__ import annotations

import json
import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from tests.statemachines.definitions import source
from tests.statemachines.script import Failure, applying, judged, sweeping
from tests.statemachines.stage import LEASE_SECONDS
from tests.support.handlers import client


if TYPE_CHECKING:
    from tests.statemachines.stage import Stage

FAILED_RUN = {
    "detail-type": "Step Functions Execution Status Change",
    "source": "aws.states",
    "detail": {"status": "FAILED"},
}
READERS = ("ObserveTailnet", "ObserveCluster", "ObserveZones", "ObserveResolver")
RETRIED = source("sweep")["States"]["Plan Change"]["Retry"][0]["ErrorEquals"]


def test_nothing_to_do_starts_nothing(stage: Stage) -> None:
    """A world in sync costs one look and one probe, no lease, and no execution."""
    stage.script.answers["PlanChange"] = [applying("records")]

    swept = stage.swept()

    assert swept["output"] == {
        "outcome": "in_sync",
        "why": "",
        "devices": [],
        "plan": applying("records")["counts"],
        "states": {"healthy": 2},
    }
    assert not stage.converges()
    assert not stage.lease()
    assert not stage.items("causes")
    assert {p["run"]["sweep"] for p in stage.script.payloads("PlanChange")} == {True}
    assert len(stage.script.payloads("ProbeEndpoints")) == 2


def test_a_finding_starts_one_converge(stage: Stage) -> None:
    """The Converge that a sweep starts has the sweep's cause and goes through to its end."""
    stage.script.answers["JudgeSweep"] = [sweeping(start=True)]

    swept = stage.swept()

    assert swept["output"]["outcome"] == "started"
    assert stage.converges() == [swept["output"]["execution"]]
    ended = stage.ended(swept["output"]["execution"])
    assert ended["output"]["outcome"] == "in_sync"
    assert [cause["kind"] for cause in ended["output"]["causes"]] == ["sweep"]
    assert json.loads(ended["input"])["causes"][0]["id"] == swept["name"]


def test_a_sweep_that_ran_twice_starts_one_converge(stage: Stage) -> None:
    """Express is at-least-once: when its twin has started the Converge, a sweep starts none."""

    def overtaken(payload: Any) -> Any:
        name = "sweep-" + sha256(payload["run"]["holder"].encode()).hexdigest()[:40]
        stage.ended(stage.start({"surfaces": ["records"]}, name))
        return sweeping(start=True)(payload)

    stage.script.answers["JudgeSweep"] = [overtaken]

    swept = stage.swept()

    assert swept["status"] == "SUCCEEDED"
    assert swept["output"]["outcome"] == "in_sync"
    assert len(stage.converges()) == 1


@pytest.mark.parametrize(("given", "waits"), [(FAILED_RUN, True), ({}, False)])
def test_only_after_a_failure_it_waits_for_the_lease(
    stage: Stage, given: dict[str, Any], *, waits: bool
) -> None:
    """A dead run's lease is let expire before the sweep looks; a scheduled sweep looks at once."""
    began = time.monotonic()

    assert stage.swept(given)["output"]["outcome"] == "in_sync"

    first = min(call.began for call in stage.script.calls)
    least = LEASE_SECONDS / 1000
    assert (first - began >= least) is waits


@pytest.mark.parametrize("kind", RETRIED)
def test_what_passes_is_tried_again(stage: Stage, kind: str) -> None:
    """Each error that a sweep's Retry names is overcome."""
    stage.script.answers["ObserveZones"] = [Failure(kind), {"inline": {}}]

    assert stage.swept()["output"]["outcome"] == "in_sync"
    assert len(stage.script.payloads("ObserveZones")) == 2


@pytest.mark.parametrize("function", [*READERS, "PlanChange", "ProbeEndpoints", "JudgeSweep"])
@pytest.mark.parametrize(("kind", "tries"), [("ValueError", 1), ("Runtime.ExitError", 3)])
def test_a_sweep_that_cannot_look_starts_nothing(
    stage: Stage, function: str, kind: str, tries: int
) -> None:
    """A function that fails for good fails the sweep; the next one comes in five minutes."""
    stage.script.answers = {"PlanChange": [plan_of_one()], "JudgeSweep": [sweeping(start=True)]}
    stage.script.answers[function] = [Failure(kind)]

    swept = stage.swept()

    assert (swept["status"], swept["error"]) == ("FAILED", kind)
    assert len(stage.script.payloads(function)) == tries
    assert not stage.converges()


def plan_of_one() -> dict[str, Any]:
    """Return a plan with one batch to probe."""
    return applying("records", probes=[{"inline": ["a"]}])


def test_a_sweep_and_its_converge_agree_on_the_lease(stage: Stage) -> None:
    """What a sweep has started ends with the lease free and the sweep's cause consumed."""
    stage.script.answers = {
        "JudgeSweep": [sweeping(start=True)],
        "PlanChange": [applying("records")],
        "JudgeProof": [judged("proven")],
    }

    ended = stage.ended(stage.swept()["output"]["execution"])

    assert ended["output"]["outcome"] == "applied"
    assert (stage.lease()["expires"], "holder" in stage.lease()) == (0, False)
    assert not stage.items("causes")


def test_only_who_watches_a_webhook_asks_for_deliveries(stage: Stage, endpoint: str) -> None:
    """Before it looks at the world; a host that fails keeps no sweep from it."""
    ssm, name = client(endpoint, "ssm"), os.environ["TABLE"]
    stage.swept()
    assert stage.script.payloads("RedeliverWebhooks") == []
    usual = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    watched = {"repositories": [{"provider": "github", "name": "me/homelab", "hook": 7}]}
    ssm.put_parameter(Name=name, Value=json.dumps(watched), Overwrite=True)
    stage.script.answers["RedeliverWebhooks"] = [Failure("KeyError")]

    swept = stage.swept()

    ssm.put_parameter(Name=name, Value=usual, Overwrite=True)
    assert stage.script.payloads("RedeliverWebhooks") == [{"config": watched}]
    assert swept["output"]["outcome"] == "in_sync"
