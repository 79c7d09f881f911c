"""An execution's history: paged, in either order, closed by its last event."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace


errors = moto_module("stepfunctions.parser.api")
responses = moto_module("stepfunctions.responses")
managers = moto_module("stepfunctions.parser.asl.eval.event.event_manager")
core = moto_module("core.responses")

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
PAYLOADS = frozenset({"input", "output", "inputDetails", "outputDetails", "parameters"})


def repair() -> None:
    """Replace how events are added and asked for."""
    replace(managers.EventManager, "add_event", add_event)
    replace(responses.StepFunctionResponse, "get_execution_history", get_execution_history)


def add_event(self: Any, *args: Any, **more: Any) -> int:
    """Add an event, unless the execution's last one has been written."""
    if getattr(self, "closed", False):
        return 0
    event_id: int = original(managers.EventManager, "add_event")(self, *args, **more)
    return event_id


def get_execution_history(self: Any) -> Any:
    """GetExecutionHistory, with maxResults, reverseOrder, nextToken and includeExecutionData."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    events = list(execution.exec_worker.env.event_manager._history_event_list)
    if self._get_bool_param("reverseOrder"):
        events.reverse()
    size = min(self._get_int_param("maxResults") or DEFAULT_PAGE, LARGEST_PAGE)
    start = _start(events, self._get_param("nextToken"))
    page = events[start : start + size]
    if self._get_bool_param("includeExecutionData") is False:
        page = [_without_payloads(event) for event in page]
    more = events[start + size :]
    return core.ActionResult({"events": page, "nextToken": _token(more[0]) if more else None})


def _token(event: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"event {event['id']}".encode()).decode()


def _start(events: list[dict[str, Any]], token: str | None) -> int:
    """Return where the page begins: new events must not shift a page of the reverse order."""
    if not token:
        return 0
    try:
        wanted = int(base64.urlsafe_b64decode(token).decode().removeprefix("event "))
        return next(i for i, event in enumerate(events) if event["id"] == wanted)
    except (binascii.Error, StopIteration, ValueError) as error:
        raise errors.InvalidToken("Invalid Token: 'Invalid token'") from error


def _without_payloads(event: dict[str, Any]) -> dict[str, Any]:
    return {
        k: {n: d for n, d in v.items() if n not in PAYLOADS} if isinstance(v, dict) else v
        for k, v in event.items()
    }
