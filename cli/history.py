"""What an execution did, read from its history: each state it entered, when, and how it left it.

Event types: docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

FAILURES = ("Failed", "TimedOut", "Aborted", "SubmitFailed", "StartFailed")
DECLINED = "DynamoDB.ConditionalCheckFailedException"
TASKS = ("Task", "LambdaFunction", "Activity")


@dataclass
class Visit:
    """One stay in a state. `depth` counts the Map and Parallel states around it.

    `errors` are the names of what its attempts failed with, the caught last one included;
    `output` is what it returned, None while it runs.
    """

    name: str
    kind: str
    entered: datetime
    around: tuple[Visit, ...] = ()
    left: datetime | None = None
    errors: list[str] = field(default_factory=list)
    succeeded: bool = False
    output: Any = None
    assigned: Mapping[str, Any] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Return how many states are around it."""
        return len(self.around)

    @property
    def seconds(self) -> float:
        """Return how long it lasted; 0 while it does."""
        return (self.left - self.entered).total_seconds() if self.left else 0.0

    @property
    def failed(self) -> bool:
        """Say whether its last attempt failed, so that a Catch or nobody took over."""
        return bool(self.errors) and not self.succeeded and not self.declined

    @property
    def declined(self) -> bool:
        """Say whether it was a conditional write that did not come to pass: that is an answer."""
        return bool(self.errors) and self.errors[-1] == DECLINED


@dataclass
class History:
    """The visits in the order of entering, and how the execution ended: "" while it runs."""

    visits: list[Visit] = field(default_factory=list)
    status: str = ""
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def running(self) -> list[Visit]:
        """Return the innermost states that it is in."""
        inside = [visit for visit in self.visits if visit.left is None]
        return [v for v in inside if not any(v in other.around for other in inside)]

    def of(self, name: str) -> list[Visit]:
        """Return the visits of one state."""
        return [visit for visit in self.visits if visit.name == name]


def read(events: Iterable[Mapping[str, Any]]) -> History:
    """Return the history of GetExecutionHistory's events, given from the first one on."""
    return _Reader().read(events)


class _Reader:
    """Follows each event to the one before it, which tells where it happened."""

    def __init__(self) -> None:
        self.history = History()
        self._places: dict[int, tuple[Visit, ...]] = {0: ()}

    def read(self, events: Iterable[Mapping[str, Any]]) -> History:
        for event in events:
            before = self._places.get(event.get("previousEventId", 0), ())
            self._places[event["id"]] = self._take(event, before)
        return self.history

    def _take(self, event: Mapping[str, Any], around: tuple[Visit, ...]) -> tuple[Visit, ...]:
        """Take note of one event; return the states that one is in after it."""
        kind = event["type"]
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            visit = Visit(name, kind.removesuffix("StateEntered"), event["timestamp"], around)
            self.history.visits.append(visit)
            return (*around, visit)
        if kind.endswith("StateExited"):
            return self._left(event, around)
        if kind.startswith("Execution"):
            self._execution(kind.removeprefix("Execution"), event["timestamp"])
        elif kind.startswith(TASKS) and around:
            _attempted(around[-1], kind, event)
        return around

    def _left(self, event: Mapping[str, Any], around: tuple[Visit, ...]) -> tuple[Visit, ...]:
        details = event["stateExitedEventDetails"]
        names = [visit.name for visit in around]
        if details["name"] not in names:
            return around
        place = names.index(details["name"])
        visit = around[place]
        for one in self.history.visits:  # a branch that a failing sibling ended leaves no trace
            if one.left is None and (one is visit or visit in one.around):
                one.left = event["timestamp"]
        visit.output = _parsed(details.get("output"))
        assigned = details.get("assignedVariables") or {}
        visit.assigned = {name: _parsed(value) for name, value in assigned.items()}
        return around[:place]

    def _execution(self, what: str, at: datetime) -> None:
        if what == "Started":
            self.history.started = at
            return
        self.history.status, self.history.ended = what.upper(), at
        for visit in self.history.visits:
            visit.left = visit.left or at


def _attempted(visit: Visit, kind: str, event: Mapping[str, Any]) -> None:
    if kind.endswith(FAILURES):
        details: Mapping[str, Any] = next(
            (value for key, value in event.items() if key.endswith("EventDetails")), {}
        )
        visit.errors.append(details.get("error", "States.Timeout"))
        visit.succeeded = False
    elif kind.endswith("Succeeded"):
        visit.succeeded = True


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):  # cut off, or left out
        return text
