"""An execution's history as visits of states, its remarks, and its picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cli.details import remark
from cli.following import Follower
from cli.history import History, Visit, read
from cli.picture import picture, rows_of
from cli.screen import Screen


if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Tape:
    """Records events as Step Functions numbers them: each names the one before it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, previous: int | None = None, **details: Any) -> int:
        """Add an event 0.1 s after the last one; return its id."""
        number = len(self.events) + 1
        event = {"id": number, "type": kind, "timestamp": START + timedelta(seconds=number / 10)}
        before = number - 1 if previous is None else previous
        self.events.append({**event, "previousEventId": before, **details})
        return number

    def enter(self, kind: str, name: str, previous: int | None = None) -> int:
        """Enter a state."""
        details = {"name": name, "input": "{}"}
        return self.add(f"{kind}StateEntered", previous, stateEnteredEventDetails=details)

    def leave(self, kind: str, name: str, previous: int | None = None, output: str = "{}") -> int:
        """Leave a state."""
        details = {"name": name, "output": output}
        return self.add(f"{kind}StateExited", previous, stateExitedEventDetails=details)

    def fail(self, error: str) -> int:
        """Let the attempt of a task fail."""
        return self.add("TaskFailed", taskFailedEventDetails={"error": error, "cause": "because"})


@pytest.fixture
def tape() -> Tape:
    """Return a history of a Parallel with two branches at once, a retry, a loop and a failure."""
    tape = Tape()
    tape.add("ExecutionStarted")
    tape.enter("Parallel", "Observe", 0)
    started = tape.add("ParallelStateStarted")
    one = tape.enter("Task", "Observe Zones", started)
    other = tape.enter("Task", "Observe Tailnet", started)
    one = tape.add("TaskFailed", one, taskFailedEventDetails={"error": "Throttled"})
    other = tape.leave("Task", "Observe Tailnet", other)
    one = tape.add("TaskSucceeded", one, taskSucceededEventDetails={})
    tape.leave("Task", "Observe Zones", one)
    tape.leave("Parallel", "Observe")
    for number in range(2):
        tape.enter("Task", "Judge Proof")
        tape.add("TaskSucceeded")
        payload = {"word": "again", "proof": {"states": {"down": number}}}
        tape.leave("Task", "Judge Proof", output=json.dumps({"Payload": payload}))
        tape.enter("Wait", "Wait For The World")
        tape.leave("Wait", "Wait For The World")
    tape.enter("Task", "Ask The Holder")
    tape.fail("DynamoDB.ConditionalCheckFailedException")
    tape.leave("Task", "Ask The Holder")
    tape.enter("Task", "Close Change")
    tape.fail("Sandbox.Timedout")
    tape.leave("Task", "Close Change")
    tape.enter("Fail", "Failed")
    tape.add("ExecutionFailed", executionFailedEventDetails={"error": "Failed"})
    return tape


def test_visits(tape: Tape) -> None:
    """Branches that run at once are told apart; a visit knows its end, errors and surroundings."""
    history = read(tape.events)

    told = [(v.name, v.depth, v.errors, v.failed) for v in history.visits]
    assert told == [
        ("Observe", 0, [], False),
        ("Observe Zones", 1, ["Throttled"], False),
        ("Observe Tailnet", 1, [], False),
        *[("Judge Proof", 0, [], False), ("Wait For The World", 0, [], False)] * 2,
        ("Ask The Holder", 0, ["DynamoDB.ConditionalCheckFailedException"], False),
        ("Close Change", 0, ["Sandbox.Timedout"], True),
        ("Failed", 0, [], False),
    ]
    assert (history.status, history.running) == ("FAILED", [])
    zones, tailnet = history.visits[1:3]
    assert (round(zones.seconds, 3), round(tailnet.seconds, 3)) == (0.5, 0.2)


@pytest.mark.parametrize("seen", range(2, 24))
def test_history_that_goes_on(tape: Tape, seen: int) -> None:
    """Half a history reads like a whole one; the states that it is in are not over."""
    history = read(tape.events[:seen])

    assert all(visit.left is None for visit in history.running)
    assert history.status == ""


def test_sibling_of_a_failure(tape: Tape) -> None:
    """A branch that ended with its sibling's failure ends with the Parallel around it."""
    broken = Tape()
    broken.add("ExecutionStarted")
    broken.enter("Parallel", "Apply", 0)
    started = broken.add("ParallelStateStarted")
    broken.enter("Task", "Apply Records", started)
    other = broken.enter("Task", "Apply Resolver", started)
    broken.add("TaskFailed", other, taskFailedEventDetails={"error": "LeaseLost"})
    broken.leave("Parallel", "Apply")

    records = read(broken.events).of("Apply Records")[0]

    assert records.left == broken.events[-1]["timestamp"]


def visit(name: str, payload: Any, *errors: str, succeeded: bool = True) -> Visit:
    """Return a visit that is over."""
    done = Visit(name, "Task", START, left=START, errors=list(errors), succeeded=succeeded)
    done.output = {"Payload": payload}
    return done


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        (visit("Gather Causes", {"count": 1}), "1 cause"),
        (visit("Gather Causes", {"count": 3, "adopted": "x"}), "3 causes, goes on with x"),
        (visit("Plan Change", {"counts": {"create": 2, "update": 0}}), "2 create"),
        (visit("Plan Change", {"counts": {"create": 0}}), "no change"),
        (visit("Plan Change", {"settling": True, "why": ["a", "b"]}), "not settled: a; b"),
        (visit("Apply Records", {"applied": 2, "conflicts": ["a"]}), "2 written, 1 in conflict"),
        (
            visit("Judge Proof", {"word": "proven", "proof": {"states": {"down": 1}}}),
            "proven: 1 down",
        ),
        (visit("Close Change", {"outcome": "held"}, "Throttled"), "held; after Throttled"),
        (visit("Observe Zones", {}, "Throttled", succeeded=False), "failed: Throttled"),
        (visit("Anything Else", {"count": 1}), ""),
        (visit("Plan Change", None), ""),
    ],
)
def test_remarks(over: Visit, expected: str) -> None:
    """A state that is over is remarked upon in a few words."""
    assert remark(over) == expected


def test_follower(tape: Tape, capsys: pytest.CaptureFixture[str]) -> None:
    """Each state is told once, when it is over, however often one looks."""
    follower = Follower(Screen(), lambda _: None)

    for seen in range(len(tape.events) + 1):
        follower.look(read(tape.events[:seen]))

    told = capsys.readouterr().out
    assert told.count("Judge Proof") == 2
    assert told.count("Observe Zones") == 1
    assert "after Throttled" in told
    assert "failed: Sandbox.Timedout" in told


def test_rows(tape: Tape) -> None:
    """The picture has a row for each state, below the one that it is in."""
    rows = [(row.name, row.depth, len(row.visits)) for row in rows_of(read(tape.events))]

    assert rows == [
        ("Observe", 0, 1),
        ("Observe Zones", 1, 1),
        ("Observe Tailnet", 1, 1),
        ("Judge Proof", 0, 2),
        ("Wait For The World", 0, 2),
        ("Ask The Holder", 0, 1),
        ("Close Change", 0, 1),
        ("Failed", 0, 1),
    ]


def texts(svg: str) -> Iterator[str]:
    """Yield what is written in a picture."""
    for element in ET.fromstring(svg).iter("text"):  # noqa: S314 - our own picture
        yield element.text or ""


def test_picture(tape: Tape) -> None:
    """The picture is well-formed, tells turns back and names the states that were not entered."""
    svg = picture(read(tape.events), {"States": {"Observe": {}, "Undo": {}, "<Odd>": {}}})

    assert "not entered: Undo, <Odd>" in list(texts(svg))
    assert svg.count('class="way back"') == 1
    assert svg.count('class="state bad"') == 2
    assert svg.count('class="at"') == len(read(tape.events).visits)


def test_picture_of_a_run_that_goes_on() -> None:
    """A run is drawn once it is over."""
    with pytest.raises(ValueError, match="once it is over"):
        picture(History(started=START), {"States": {}})
