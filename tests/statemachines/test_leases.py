"""Converge's lease: coalescing, expiry, races, and calls of AWS's own that fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.stack import stack
from tests.statemachines import script
from tests.statemachines.cases import (
    AGAIN,
    APPLY,
    ASK,
    CLAIM,
    COLLECT,
    DONE,
    ENDED,
    GATHER,
    JUDGED,
    LOOK,
    PROVE,
    STORM,
    TOLD,
    WRITE,
)
from tests.statemachines.definitions import source
from tests.statemachines.script import applying, close, counting, judged, plan


if TYPE_CHECKING:
    from tests.statemachines.stage import Stage

STATES = source("converge")["States"]
LEASE = ("lease", "stack")
# What only this state's own call to AWS holds, and how a run ends when that fails for good.
CALLS = {
    "Store Cause": ("PutItem", ("Store Causes",)),
    "Ask The Holder": ("ADD asked", ("Ask The Holder",)),
    "Claim The Lease": ("if_not_exists(fence", ("Claim The Lease",)),
    "Read Config": (
        "GetParameter",
        ("Read Config", "Close As Failed", "Was It Proposed?", "Failed"),
    ),
    "Keep The Baseline": (
        "baseline_",
        ("Keep The Baseline", "Close As Failed", "Was It Proposed?", "Failed"),
    ),
    "Release The Lease": ("REMOVE holder", ("Release The Lease", "Failed")),
}
TRIES = 5
STRANDED = {"Ask The Holder", "Claim The Lease", "Read Config"}  # stored, and not yet gathered


def cause(number: int, kind: str = "tailscale") -> dict[str, str]:
    """Return a cause of its own."""
    at = f"2026-11-21T23:00:{number:02}Z"
    return {"kind": kind, "id": f"event-{number}", "at": at, "by": "tailscale", "ref": ""}


def ids(causes: list[dict[str, str]]) -> list[str]:
    """Return the causes' ids, sorted."""
    return sorted(each["id"] for each in causes)


def path(stage: Stage, execution: str) -> list[str]:
    """Return the machine's own states in the order in which they were entered."""
    return [name for name in stage.entered(execution) if name in STATES]


def newcomer(stage: Stage, number: int) -> dict[str, Any]:
    """Start a run in the middle of another one, and wait for its end."""
    return stage.ended(stage.start({"causes": [cause(number)]}))


def test_a_newcomer_leaves_its_causes_to_the_holder(stage: Stage) -> None:
    """While the lease is held and unexpired, a run stores its causes, asks, and ends."""
    expires = int(time.time()) + 100
    stage.put_lease(holder="arn:other", fence=7, expires=expires, asked=2)

    ended = stage.ended(execution := stage.start({"causes": [cause(1), cause(2)]}))

    assert ended["output"] == {"outcome": "coalesced", "holder": "arn:other"}
    assert path(stage, execution) == [*ASK, "Coalesced"]
    found = {name: stage.lease()[name] for name in ("holder", "fence", "expires", "asked")}
    assert found == {"holder": "arn:other", "fence": 7, "expires": expires, "asked": 3}
    assert len(stage.items("causes")) == 2
    assert not stage.script.calls


def test_an_expired_lease_is_claimed_with_a_higher_fence(stage: Stage) -> None:
    """A dead holder's lease passes on once it has expired, and its causes with it."""
    stage.put_lease(holder="arn:dead", fence=7, expires=int(time.time()) - 1, asked=4)
    stack().table.put(
        {"pk": "causes", "sk": "2026#left", "cause": '{"kind": "git", "id": "left", "at": "2026"}'}
    )

    ended = stage.ended(stage.start({"causes": [cause(1)]}))

    assert ids(ended["output"]["causes"]) == ["event-1", "left"]
    assert {p["run"]["fence"] for p in stage.script.payloads("PlanChange")} == {8}
    assert (stage.lease()["fence"], stage.lease()["expires"]) == (8, 0)
    assert not stage.items("causes")


def test_a_cause_that_comes_before_the_release_is_seen_by_another_round(stage: Stage) -> None:
    """A release that loses the race loops: the same execution takes the newcomer's cause."""
    came: list[Any] = []

    def close_late(payload: Any) -> dict[str, Any]:
        closed = close(payload)
        if not came:
            came.append(newcomer(stage, 2))
        return closed

    stage.script.answers["CloseChange"] = [close_late]

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert came[0]["output"] == {"outcome": "coalesced", "holder": execution}
    assert path(stage, execution) == [*GATHER, *LOOK, *AGAIN, *LOOK, *STORM, *ENDED, "Done"]
    assert ids(ended["output"]["causes"]) == ["event-2"]
    assert [p["round"] for p in stage.script.payloads("PlanChange")] == [1, 2]
    assert not stage.items("causes")
    assert stage.lease()["expires"] == 0


def test_a_newcomer_that_asks_too_late_is_served_already(stage: Stage) -> None:
    """Its causes were gathered before it could ask: it looks at nothing, and names who did."""
    late: list[str] = []

    def serve() -> None:
        late.append(stage.start({"causes": [cause(2)]}))
        stage.ended(late[0])

    stage.faults.before["ADD asked"] = serve  # the first has stored its cause by then

    first = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    served = {"change_id": None, "outcome": "coalesced", "holder": late[0], "to_tell": 0}
    assert first["output"] == served
    assert path(stage, execution) == [
        *CLAIM,
        *COLLECT[:-1],
        "Release The Lease",
        *ENDED,
        "Done",
    ]
    assert len(stage.script.payloads("PlanChange")) == 1
    assert (stage.lease()["expires"], stage.lease()["fence"]) == (0, 2)
    assert stage.lease()["served_by"] == late[0]


def test_a_late_newcomer_looks_where_the_holder_has_died(stage: Stage) -> None:
    """Who never released may never have looked: what it gathered is looked at again."""
    stage.put_lease(holder="arn:dead", fence=7, expires=1, asked=0, served_by="arn:earlier")
    stage.script.answers["GatherCauses"] = [
        lambda payload: script.gather(payload) | {"count": 0, "causes": []}
    ]

    stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert path(stage, execution) == [*GATHER, *LOOK, *DONE]


def test_a_late_newcomer_takes_over_what_comes_then(stage: Stage) -> None:
    """Served already, it is asked before it has released: a holder like any other."""
    stage.put_lease(fence=7, expires=0, asked=0, served_by="arn:earlier")

    def none_waits(payload: Any) -> dict[str, Any]:
        gathered = script.gather(payload) | {"count": 0, "causes": []}
        newcomer(stage, 2)
        return gathered

    stage.script.answers["GatherCauses"] = [none_waits, script.gather]

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    found = path(stage, execution)
    assert found[len(CLAIM) + 2 :] == [
        "Release The Lease",
        *AGAIN[-4:],
        *LOOK,
        *STORM,
        *ENDED,
        "Done",
    ]
    assert ended["output"]["outcome"] == "in_sync"
    assert "event-2" in ids(ended["output"]["causes"])
    assert not stage.items("causes")


def test_more_causes_make_a_second_round_of_one_change(stage: Stage) -> None:
    """Causes that come while a run proves join its change; its first baseline stays."""
    baseline = [{"inline": ["seen before"]}]

    def judge(_: Any) -> dict[str, Any]:
        newcomer(stage, 2)
        return judged("more")

    stage.script.answers = {
        "PlanChange": [applying("records"), applying("records", baseline=baseline)],
        "JudgeProof": [judge, judged("proven")],
    }

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert path(stage, execution) == [
        *JUDGED,
        *COLLECT,
        *LOOK,
        *APPLY,
        *PROVE,
        *STORM,
        *ENDED,
        "Done",
    ]
    assert ended["output"]["outcome"] == "applied"
    assert ids(ended["output"]["causes"]) == ["event-1", "event-2"]
    first, second = stage.script.payloads("ApplyRecords")
    assert (first["round"], second["round"]) == (1, 2)
    assert first["change_id"] == second["change_id"] == ended["output"]["change_id"]
    assert stage.script.payloads("JudgeProof")[1]["baseline"] == baseline
    assert stage.script.payloads("JudgeProof")[1]["waited"] == 0


def test_a_round_after_an_undone_one_is_judged_for_itself(stage: Stage) -> None:
    """What an earlier round wrote and judged does not follow a run into its next round."""

    def close_late(payload: Any) -> dict[str, Any]:
        newcomer(stage, 2)
        return close(payload)

    stage.script.answers = {
        "PlanChange": [applying("records"), counting(held=1)],
        "JudgeProof": [judged("worse")],
        "CloseChange": [close_late, close],
    }

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert path(stage, execution) == [*JUDGED, "Undo", *AGAIN, *LOOK, *STORM, *TOLD, "Done"]
    first, second = stage.script.payloads("CloseChange")
    assert (first["undone"], second["undone"]) == (True, False)
    assert (len(first["written"]), second["written"], second["proof"]) == (6, [], None)
    assert ended["output"]["outcome"] == "held"


def test_a_second_wait_to_settle_starts_from_nothing(stage: Stage) -> None:
    """The settling budget belongs to a round; each look tells how long was waited."""
    stage.script.answers["PlanChange"] = [
        plan(settling=True),
        plan(settling=True),
        applying("records"),
        plan(settling=True),
        applying("records"),
    ]
    stage.script.answers["JudgeProof"] = [judged("more"), judged("proven")]

    stage.ended(execution := stage.start())

    assert [p["waited"] for p in stage.script.payloads("PlanChange")] == [0, 5, 10, 0, 5]
    assert path(stage, execution)[-len((*WRITE, *DONE)) :] == [*WRITE, *DONE]


def test_a_run_that_lost_its_lease_frees_nothing(stage: Stage) -> None:
    """When another run has claimed the lease meanwhile, it stays that run's."""
    taken = {"holder": "arn:next", "fence": 9, "expires": int(time.time()) + 150, "asked": 0}

    def take(payload: Any) -> dict[str, Any]:
        stage.put_lease(**taken)
        return plan()

    stage.script.answers["PlanChange"] = [take]

    ended = stage.ended(execution := stage.start())

    assert (ended["status"], ended["error"]) == ("FAILED", "LeaseLost")
    assert path(stage, execution)[-2:] == ["Close Change", "Lease Lost"]
    assert taken.items() <= stage.lease().items()


@pytest.mark.parametrize("late", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("state", CALLS)
def test_a_call_to_aws_is_tried_again(stage: Stage, state: str, *, late: bool) -> None:
    """A throttled call, or one whose answer was lost, changes neither the end nor the lease."""
    stage.faults.late = late
    stage.faults.left[CALLS[state][0]] = TRIES - 1
    stage.script.answers["PlanChange"] = [applying("records")]

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert (ended["output"] or ended)["outcome"] == "applied"
    assert path(stage, execution) == [*JUDGED, *DONE]
    assert (stage.lease()["expires"], "holder" in stage.lease()) == (0, False)
    assert not any(stage.faults.left.values())
    assert not stage.items("causes")


@pytest.mark.parametrize("state", CALLS)
def test_a_call_to_aws_that_fails_for_good(stage: Stage, state: str) -> None:
    """The execution fails where it stands; whoever holds the lease by then keeps it."""
    text, end = CALLS[state]
    stage.faults.left[text] = TRIES * 2
    stage.script.answers["PlanChange"] = [applying("records")]

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    assert ended["status"] == "FAILED"
    assert tuple(path(stage, execution)[-len(end) :]) == end
    assert stage.faults.left[text] == TRIES
    is_claimed = state not in {"Store Cause", "Ask The Holder", "Claim The Lease"}
    assert (stage.lease().get("expires", 0) > time.time()) is is_claimed
    kept = [item["sk"].partition("#")[2] for item in stage.items("causes")]
    assert kept == (["event-1"] if state in STRANDED else [])
