"""What the states hand to the functions, and the real beginning and end of a run between them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions import close_change, gather_causes
from tailkeeper.adapters.stack import stack
from tailkeeper.model import Change, Plan, Verdict
from tests.statemachines.script import applying, judged, plan


if TYPE_CHECKING:
    from tests.statemachines.stage import Stage

CAUSE = {
    "kind": "tailscale",
    "id": "event-1",
    "at": "2026-11-21T23:00:00Z",
    "by": "tag:k8s",
    "ref": "nodeCreated n2 gateway-envoy-1.tail.ts.net",
}
FOUND = {"inline": [{"host": "a.example.com", "state": "healthy"}]}


def real(stage: Stage, **answers: list[Any]) -> None:
    """Let the project's own functions begin and end each round."""
    stage.script.answers = {
        "GatherCauses": [lambda event: gather_causes.handler(event, None)],
        "CloseChange": [lambda event: close_change.handler(event, None)],
        **answers,
    }


def planned(*words: Any) -> dict[str, Any]:
    """Return a plan with one judged change for each word."""
    changes = [
        Change("records", f"{word}.example.com", None, {"records": []}, "example.com").judged(
            Verdict(word, 13, ("why",))
        )
        for word in words
    ]
    made = Plan.of(changes)
    document = {"inline": made.as_json() if made else []}
    return applying("records", plan=document) if "apply" in words else plan(plan=document)


def newcomer(number: int) -> None:
    """Leave one more cause to the holder, as an execution that coalesces does."""
    late = {**CAUSE, "id": f"late-{number}"}
    item = {"pk": "causes", "sk": f"{late['at']}#{late['id']}", "cause": json.dumps(late)}
    stack().table.put({**item, "surfaces": json.dumps(["resolver"])})
    stack().table.update("lease", "stack", "ADD asked :one", one=1)


def test_the_judge_is_told_how_long_the_world_was_waited_for(stage: Stage) -> None:
    """Five seconds more with each look, thirty at most; and what it said before."""
    again = judged("again")
    stage.script.answers = {
        "PlanChange": [applying("records")],
        "JudgeProof": [again] * 7 + [judged("proven")],
    }

    stage.ended(stage.start())

    looks = stage.script.payloads("JudgeProof")
    assert [look["waited"] for look in looks] == [0, 5, 15, 30, 50, 75, 105, 135]
    assert [look["attempt"] for look in looks] == list(range(1, 9))
    assert [look["previous"] for look in looks] == [None] + [again["proof"]] * 7


def test_the_baseline_is_found_before_the_first_write_and_kept(stage: Stage) -> None:
    """Only then is a name that the plan creates not asked for; a crash does not forget it."""
    stage.script.answers = {
        "PlanChange": [applying("records", change_id="change-7", probes=[{"inline": []}])],
        "ProbeEndpoints": [lambda event: FOUND if event["before"] else {"inline": []}],
    }

    stage.ended(stage.start())

    order = [c.function for c in stage.script.calls if c.function.startswith(("Probe", "Apply"))]
    assert order == ["ProbeEndpoints", "ApplyRecords", "ProbeEndpoints"]
    assert [p["before"] for p in stage.script.payloads("ProbeEndpoints")] == [True, False]
    (judge,) = stage.script.payloads("JudgeProof")
    assert (judge["baseline"], judge["findings"]) == ([FOUND], [{"inline": []}])
    assert (stack().journal.head("change-7") or {})["baseline"] == [FOUND]


def test_one_execution_is_one_change_to_its_real_end(stage: Stage) -> None:
    """Causes come while it proves, and again before it releases: three rounds, nothing left."""

    def judge(event: Any) -> dict[str, Any]:
        if event["round"] == 1:
            newcomer(1)
            return judged("more")
        return judged("proven")

    def look(_: Any) -> dict[str, Any]:
        if len(stage.script.payloads("ObserveZones")) == 1:
            newcomer(2)
        return {"inline": {}}

    real(
        stage,
        PlanChange=[planned("apply"), planned("apply", "hold"), planned("refuse")],
        JudgeProof=[judge],
        ObserveZones=[look],
    )

    ended = stage.ended(stage.start({"causes": [CAUSE], "surfaces": ["records"]}))

    assert [p["gathered"]["count"] for p in stage.script.payloads("PlanChange")] == [1, 2, 1]
    assert [p["gathered"]["surfaces"] for p in stage.script.payloads("PlanChange")] == [
        ["records"],
        ["records", "resolver"],
        ["resolver"],
    ]
    assert [p["round"] for p in stage.script.payloads("CloseChange")] == [2, 3]
    assert ended["output"]["outcome"] == "applied"
    assert (stack().journal.head("change-1") or {})["outcome"] == "applied"
    assert {item["word"] for item in stage.items("decisions")} == {"held", "refused"}
    assert stage.items("causes") == []
    assert (stage.lease()["expires"], "holder" in stage.lease()) == (0, False)


def test_a_run_that_fails_leaves_the_lease_and_consumes_what_it_saw(stage: Stage) -> None:
    """Its siblings may still write, so the lease expires by itself; retrying is the sweep's job."""
    real(stage, PlanChange=[planned("apply")], ApplyRecords=[KeyError("a bug")])

    ended = stage.ended(stage.start({"causes": [CAUSE]}))

    assert (ended["status"], ended["error"]) == ("FAILED", "Failed")
    assert ended["cause"] == "KeyError: 'a bug'"
    assert stage.items("causes") == []
    assert (stack().journal.head("change-1") or {})["outcome"] == "failed"
    assert (stage.lease()["expires"] > 0, "holder" in stage.lease()) == (True, True)
