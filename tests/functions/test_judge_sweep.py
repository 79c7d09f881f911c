"""Judge Sweep: starts a Converge only for what nobody has done or said yet."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from functions import close_change, judge_sweep
from tailkeeper.adapters.memory import Memories
from tailkeeper.model import Change, Plan, Verdict
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

SWEEP = {**RUN, "name": "sweep-7", "fence": 0, "dry_run": True, "sweep": True}


def change(key: str, word: Any, reason: str = "why") -> Change:
    """Return a judged change of a record."""
    return Change("records", key, None, {"records": [], "resource": ""}, "example.com").judged(
        Verdict(word, 13, (reason,))
    )


def planned(*changes: Change) -> dict[str, Any]:
    """Return what Plan Change gave."""
    plan = Plan.of(changes)
    return {"change_id": "c", "plan": {"inline": plan.as_json() if plan else []}}


def sweep(*changes: Change, findings: Any = (), devices: Any = None) -> dict[str, Any]:
    """Run the state; `devices` is what happened to carriers', by node id."""
    table = {"inline": {"n1": {"name": "seen"}}} if devices else None
    news = {"devices": {"changes": devices or {}, "table": table}}
    event = {"run": SWEEP, "planned": {**planned(*changes), **news}}
    return judge_sweep.handler({**event, "findings": [{"inline": list(findings)}]}, None)


def tell(aws: Stack, *changes: Change) -> None:
    """Let a Converge close a change that holds or refuses these, and release the lease."""
    event = {"run": RUN, "round": 1, "planned": planned(*changes), "written": []}
    close_change.handler({**event, "proof": None, "undone": False, "causes": []}, None)
    aws.decisions.keep(one.as_told() for one in aws.decisions.known().values())
    aws.table.update("lease", "stack", "SET expires = :zero", zero=0)


def wait(aws: Stack, *, expires: float) -> None:
    """Let a cause wait, and the lease expire in so many seconds."""
    cause = {"kind": "person", "id": "c", "at": "t", "by": "b", "ref": ""}
    aws.table.put({"pk": "causes", "sk": "c", "cause": json.dumps(cause)})
    aws.table.update("lease", "stack", "SET expires = :e", e=int(time.time() + expires))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], ""),
        (["skip", "wait"], ""),
        (["apply", "apply"], "2 changes to apply"),
        (["hold"], "1 changes held, refused or undone that were not reported yet"),
        (["refuse", "hold"], "2 changes held, refused or undone that were not reported yet"),
    ],
)
def test_a_plan_that_nobody_carried_out_or_told_starts_a_run(
    aws: Stack, words: list[str], why: str
) -> None:
    """What waits for a second read, or is somebody else's, is no reason."""
    judged = sweep(*(change(f"h{n}", word) for n, word in enumerate(words)))

    assert (judged["start"], judged["why"]) == (bool(why), why)


def test_a_hold_is_told_once_for_each_reason(aws: Stack) -> None:
    """A Converge told it; another reason, or another change of the key, is news again."""
    tell(aws, change("a", "hold", "another writer"), change("b", "refuse", "offline"))

    assert not sweep(change("a", "hold", "another writer"), change("b", "refuse", "offline"))[
        "start"
    ]
    assert sweep(change("a", "hold", "too many deletes"))["start"]
    assert sweep(change("b", "refuse", "offline"), change("c", "hold"))["why"].startswith("1 ")


def test_a_hold_whose_message_got_lost_is_asked_for_again(aws: Stack) -> None:
    """Tell People failed for good, or died: nobody knows, whatever the table holds."""
    event = {"run": RUN, "round": 1, "planned": planned(change("a", "hold")), "written": []}
    close_change.handler({**event, "proof": None, "undone": False, "causes": []}, None)
    aws.table.update("lease", "stack", "SET expires = :zero", zero=0)

    assert sweep(change("a", "hold"))["start"]


def test_what_a_person_rejected_is_no_news(aws: Stack) -> None:
    """Row 5 holds it back silently, sweep after sweep."""
    silent = change("a", "hold").judged(Verdict("hold", 5, ("rejected by ada",)))

    assert not sweep(silent)["start"]


@pytest.mark.parametrize("word", ["apply", "hold", "refuse"])
def test_what_a_run_is_at_work_on_starts_no_other(aws: Stack, word: str) -> None:
    """A surface that fails is found by every sweep: it must not keep its own run from ending."""
    wait(aws, expires=60)

    judged = sweep(change("a", word))

    assert (judged["start"], judged["why"]) == (False, "")


@pytest.mark.parametrize(("expires", "start"), [(-1, True), (60, False)])
def test_causes_without_a_run_are_not_forgotten(aws: Stack, expires: float, *, start: bool) -> None:
    """F28, F45: the run that should have taken them died; a live one will take them itself."""
    wait(aws, expires=expires)

    judged = sweep()

    assert judged["start"] == start
    assert ("causes wait for a run" in judged["why"]) == start


def test_its_cause_says_what_it_found(aws: Stack) -> None:
    """Named after the sweep, so that the same one found twice is one cause."""
    wait(aws, expires=-1)

    (cause,) = sweep(change("a", "apply"))["causes"]

    assert cause == {
        "kind": "sweep",
        "id": "sweep-7",
        "at": RUN["started"],
        "by": "sweep",
        "ref": "found by sweep: 1 changes to apply; causes wait for a run",
    }


def test_its_causes_name_the_devices_that_no_event_told_of(aws: Stack) -> None:
    """One cause for each, and the table is remembered so that it is told once."""
    renamed = "device n1 gateway-envoy renamed to gw"

    judged = sweep(change("a", "apply"), devices={"n1": renamed})

    assert [(c["id"], c["ref"]) for c in judged["causes"]] == [
        ("sweep-7", "found by sweep: 1 changes to apply"),
        ("sweep-7/n1", f"found by sweep: {renamed}"),
    ]
    assert judged["devices"] == [renamed]
    assert Memories(aws).devices() == {"n1": {"name": "seen"}}


def test_a_device_alone_starts_nothing(aws: Stack) -> None:
    """What follows from it is in the plan; a person who runs a sweep is told all the same."""
    judged = sweep(devices={"n1": "device n1 gw is offline"})

    assert (judged["start"], judged["devices"]) == (False, ["device n1 gw is offline"])


def test_what_a_run_keeps_a_sweep_from_telling_is_told_by_the_next(aws: Stack) -> None:
    """While somebody holds the lease no cause is handed over, so nothing is remembered as told."""
    wait(aws, expires=60)

    sweep(devices={"n1": "device n1 gw is offline"})

    assert Memories(aws).devices() == {}


def test_a_storm_of_devices_is_ten_causes_and_a_number(aws: Stack) -> None:
    """A state has 256 KB, and people no patience."""
    judged = sweep(change("a", "apply"), devices={f"n{n}": f"device n{n}" for n in range(150)})

    assert len(judged["causes"]) == 12
    assert judged["devices"][-1] == "140 more devices changed"


def test_findings_are_counted_by_state(aws: Stack) -> None:
    """A sweep that starts nothing tells how the exposures are."""
    states = ["healthy", "healthy", "down", "blind"]

    judged = sweep(findings=[{"state": state} for state in states])

    assert judged["states"] == {"healthy": 2, "down": 1, "blind": 1}
    assert json.loads(json.dumps(judged)) == judged


def test_idle_costs_two_reads_and_no_write(aws: Stack, line: Line) -> None:
    """Every five minutes, all the year, however many decisions there were."""
    sweep()

    assert line.operations == ["GetItem", "Query"]
