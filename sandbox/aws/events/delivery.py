"""EventBridge: from PutEvents through the rules to their targets, without the caller waiting.

moto 5.2.5 calls a few kinds of target inside PutEvents, and neither state machines nor functions;
it ignores Input, InputPath, DISABLED, retries and dead-letter queues.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox.aws.events.execution_status import status_event
from sandbox.aws.events.inputs import input_of
from sandbox.aws.events.requests import event_of, problem, refusal
from sandbox.aws.events.targets import SENDERS, Delivery, TargetError, send, send_to_queue
from sandbox.aws.repairs import moto_module, once, original, replace
from sandbox.aws.stepfunctions import executions


events = moto_module("events.models")
errors = moto_module("events.exceptions")
log = logging.getLogger(__name__)

WORKERS = 4
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 1.0, 300.0
DEFAULT_ATTEMPTS, DEFAULT_AGE_SECONDS = 185, 86400


class EventDelivery:
    """Delivers what is put on any bus of this process; `speed` divides the waits for a retry."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._pool: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Begin to deliver, and to tell the default bus how executions fare."""
        global _current  # noqa: PLW0603 - moto has one EventBridge per process
        _repair()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="delivery")
        _current = self
        executions.listeners.append(self.emit_execution_status)

    def stop(self) -> None:
        """Deliver nothing more; what waits for another try is dropped."""
        global _current  # noqa: PLW0603
        if self._pool is None:
            return
        executions.listeners.remove(self.emit_execution_status)
        _current = None
        pool, self._pool = self._pool, None
        pool.shutdown(wait=True, cancel_futures=True)

    def emit_execution_status(self, execution: Any) -> None:
        """Publish a Standard execution's new status as AWS does, on the default bus."""
        event = status_event(execution)
        backend = events.events_backends[event["account"]][event["region"]]
        self.publish(backend, "default", event)

    def publish(self, backend: Any, bus_name: str, event: dict[str, Any]) -> None:
        """Hand an event to the targets of every enabled rule of the bus that matches it."""
        bus = backend.describe_event_bus(bus_name)
        for rule in list(bus.rules.values()):
            is_on = rule.state == "ENABLED" and rule.event_pattern.get_pattern()
            if is_on and rule.event_pattern.matches_event(event):
                self._to_targets(rule, event)

    def _to_targets(self, rule: Any, event: dict[str, Any]) -> None:
        for target in list(rule.targets):
            body = input_of(target, event, {"arn": rule.arn, "name": rule.name})
            self.deliver(Delivery(target, body, rule.arn, event))

    def deliver(self, delivery: Delivery) -> None:
        """Send on a thread of the pool, with the target's retry policy and dead-letter queue."""
        self._submit(delivery, 0, time.monotonic())

    def _submit(self, delivery: Delivery, attempt: int, began: float) -> None:
        pool = self._pool
        with contextlib.suppress(RuntimeError):  # it was stopped in this very moment
            if pool is not None:
                pool.submit(self._attempt, delivery, attempt, began)

    def _attempt(self, delivery: Delivery, attempt: int, began: float) -> None:
        try:
            send(delivery)
        except TargetError as error:
            self._give_up(delivery, attempt, "NON_RETRYABLE_ERROR", error.code, error)
        except Exception as error:  # noqa: BLE001 - any trouble of a target is retried
            self._try_again(delivery, attempt, began, error)

    def _try_again(self, delivery: Delivery, attempt: int, began: float, why: Exception) -> None:
        policy = delivery.target.get("RetryPolicy") or {}
        age = (time.monotonic() - began) * self._speed
        if attempt >= policy.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS):
            self._give_up(delivery, attempt, "MaximumRetryAttempts", type(why).__name__, why)
        elif age >= policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS):
            self._give_up(delivery, attempt, "MaximumEventAgeInSeconds", type(why).__name__, why)
        else:
            delay = min(FIRST_BACKOFF_SECONDS * 2**attempt, LAST_BACKOFF_SECONDS) / self._speed
            timer = threading.Timer(delay, self._submit, (delivery, attempt + 1, began))
            timer.daemon = True
            timer.start()

    @staticmethod
    def _give_up(delivery: Delivery, attempt: int, condition: str, code: str, why: object) -> None:
        """Put the event into the target's dead-letter queue, with the attributes AWS adds."""
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        log.warning("an event did not reach %s: %s: %s", delivery.arn, code, why)
        if not queue:
            return
        is_schedule = ":scheduler:" in delivery.source_arn
        attributes = {
            "SCHEDULE_ARN" if is_schedule else "RULE_ARN": delivery.source_arn,
            "TARGET_ARN": delivery.arn,
            "ERROR_CODE": code,
            "ERROR_MESSAGE": str(why) or code,
            "RETRY_ATTEMPTS": str(attempt),
            "EXHAUSTED_RETRY_CONDITION": condition,
        }
        typed = {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()}
        body = delivery.body if is_schedule else json.dumps(delivery.event)
        try:
            send_to_queue(queue, body, MessageAttributes=typed)
        except Exception:
            log.exception("and its dead-letter queue %s failed too", queue)


_current: EventDelivery | None = None


@once
def _repair() -> None:
    replace(events.EventsBackend, "put_events", put_events)
    SENDERS["events:event-bus"] = _put_on_bus


def put_events(self: Any, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PutEvents: check each entry, answer, deliver later."""
    if _current is None:
        return original(events.EventsBackend, "put_events")(self, entries)  # type: ignore[no-any-return]  # moto ships no types
    why = refusal(entries)
    if why:
        raise errors.ValidationException(why)
    return [_accept(self, entry, _current) for entry in entries]


def _accept(backend: Any, entry: dict[str, Any], delivery: EventDelivery) -> dict[str, Any]:
    refused = problem(entry)
    if refused:
        return dict(zip(("ErrorCode", "ErrorMessage"), refused, strict=True))
    bus_name = backend._normalize_event_bus_arn(entry.get("EventBusName"))
    event = event_of(entry, backend.account_id, backend.region_name)
    delivery.publish(backend, bus_name, event)
    return {"EventId": event["id"]}


def _put_on_bus(delivery: Delivery) -> None:
    """Pass the event on as it is, unless its target says another source."""
    _, _, _, region, account, resource = delivery.arn.split(":", 5)
    backend = events.events_backends[account][region]
    parameters = delivery.target.get("EventBridgeParameters") or {}
    event = dict(delivery.event)
    if parameters:
        event |= {"detail-type": parameters["DetailType"], "source": parameters["Source"]}
        event["detail"] = json.loads(delivery.body)
    if _current:
        _current.publish(backend, resource.partition("/")[2], event)
