"""A hundred starts at once: no cause lost, never two at work, and few runs."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.statemachines.script import applying, close
from tests.statemachines.test_leases import cause


if TYPE_CHECKING:
    from tests.statemachines.script import Call
    from tests.statemachines.stage import Stage

STARTS = 100
A_HANDFUL = 12


def spans(calls: list[Call]) -> list[tuple[float, float]]:
    """Return from when to when each execution's functions were at work, by when they began."""
    mine: dict[str, list[Call]] = {}
    for call in calls:
        mine.setdefault(call.payload["run"]["holder"], []).append(call)
    return sorted(
        (min(c.began for c in each), max(c.ended for c in each)) for each in mine.values()
    )


def test_a_hundred_starts_at_once(stage: Stage) -> None:
    """Every cause is gathered by a run that closes after it, and runs follow one another."""
    closed: list[set[str]] = []
    gathered: dict[str, set[str]] = {}

    def close_slowly(payload: Any) -> dict[str, Any]:
        time.sleep(0.05)  # lets the storm go on while the lease is held
        seen = {each["id"] for each in payload["causes"]}
        gathered.setdefault(payload["run"]["name"], set()).update(seen)
        closed.append(seen)
        return close(payload)

    stage.script.answers = {
        "PlanChange": [applying("records", probes=[])],
        "CloseChange": [close_slowly],
    }

    with ThreadPoolExecutor(16) as pool:
        given = [{"causes": [cause(n)]} for n in range(STARTS)]
        started = list(pool.map(stage.start, given))
    ends = Counter(stage.ended(each, 60)["output"]["outcome"] for each in started)

    assert set().union(*closed) == {f"event-{n}" for n in range(STARTS)}
    assert not stage.items("causes")
    assert set(ends) <= {"applied", "coalesced"}
    assert 1 <= ends["applied"] <= A_HANDFUL
    assert len(closed) <= A_HANDFUL
    assert all(before[1] <= after[0] for before, after in pairwise(spans(stage.script.calls)))
    assert stage.lease()["expires"] == 0
    assert stage.lease()["fence"] == ends["applied"]


def test_a_claim_that_loses_the_race_asks_again(stage: Stage) -> None:
    """When another run claims between the question and the claim, the newcomer coalesces."""
    stage.faults.before["if_not_exists(fence"] = lambda: stage.put_lease(
        holder="arn:quicker", fence=1, expires=int(time.time()) + 150, asked=0
    )

    ended = stage.ended(execution := stage.start({"causes": [cause(1)]}))

    entered = stage.entered(execution)
    assert entered[-4:] == ["Ask The Holder", "Claim The Lease", "Ask The Holder", "Coalesced"]
    assert ended["output"]["holder"] == "arn:quicker"
    assert stage.lease()["asked"] == 1
