"""EventBridge Scheduler, and rules with a schedule: they fire; moto only remembers them.

Schedules run by the world's clock, so `speed` divides their intervals. A rate counts from its
StartDate, or one interval after the schedule was last changed. Flexible windows are ignored.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.aws.events.cron import At, ScheduleError, parse
from sandbox.aws.events.inputs import input_of
from sandbox.aws.events.targets import Delivery
from sandbox.aws.repairs import moto_module, once, original, replace
from sandbox.clock import Clock


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.aws.events.delivery import EventDelivery


models = moto_module("scheduler.models")
errors = moto_module("scheduler.exceptions")
events = moto_module("events.models")
log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Due:
    """When something fires next, and what it looked like when that was reckoned."""

    version: tuple[Any, ...]
    at: datetime | None


class Scheduler:
    """Fires schedules and scheduled rules until it is stopped."""

    def __init__(self, delivery: EventDelivery, speed: float = 1.0) -> None:
        self._delivery = delivery
        self._clock = Clock(speed)
        self._due: dict[str, Due] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for what is due."""
        _repair()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Fire nothing more."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def now(self) -> datetime:
        """Return the world's time."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look(self.now())
            except Exception:
                log.exception("a look at the schedules failed")

    def look(self, now: datetime) -> None:
        """Fire what is due at `now`, each at most once however late we are."""
        for schedule in list(_schedules()):
            self._look_at(schedule.arn, _ScheduledTarget(schedule), now)
        for rule in list(_rules()):
            self._look_at(rule.arn, _ScheduledRule(rule), now)

    def _look_at(self, arn: str, entry: _ScheduledTarget | _ScheduledRule, now: datetime) -> None:
        due = self._due.get(arn)
        if due is None or due.version != entry.version:
            due = self._due[arn] = Due(entry.version, entry.next_after(now, now))
        elif due.at and due.at <= now:
            entry.fire(self._delivery, due.at)
            due = self._due[arn] = Due(entry.version, entry.next_after(now, due.at))
        if due.at is None and entry.is_over(now):
            entry.complete()
            self._due.pop(arn, None)


class _ScheduledTarget:
    """A schedule of EventBridge Scheduler."""

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule
        self.version = (schedule.last_modified_date, schedule.schedule_expression, schedule.state)

    def next_after(self, moment: datetime, anchor: datetime) -> datetime | None:
        schedule = self._schedule
        if schedule.state != "ENABLED":
            return None
        start, end = _moment(schedule.start_date), _moment(schedule.end_date)
        if start and start > moment:
            moment, anchor = start - _RESOLUTION, start
        expression = parse(schedule.schedule_expression)
        zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
        found = expression.next_after(moment, start or anchor, zone)
        return found if found and (end is None or found <= end) else None

    def is_over(self, now: datetime) -> bool:
        """Say whether it has fired for the last time and is to be deleted then."""
        schedule = self._schedule
        if schedule.state != "ENABLED" or schedule.action_after_completion != "DELETE":
            return False
        return self.next_after(now, now) is None

    def complete(self) -> None:
        """Delete the schedule, as its ActionAfterCompletion says."""
        group = _group(self._schedule)
        group.schedules.pop(self._schedule.name, None)

    def fire(self, delivery: EventDelivery, at: datetime) -> None:
        schedule = self._schedule
        event = _notification(schedule.arn, "aws.scheduler", at)
        body = schedule.target.get("Input") or json.dumps(event | {"detail": "{}"})
        for name, value in {
            "schedule-arn": schedule.arn,
            "scheduled-time": event["time"],
            "execution-id": event["id"],
            "attempt-number": "1",
        }.items():
            body = body.replace(f"<aws.scheduler.{name}>", value)
        delivery.deliver(Delivery(schedule.target, body, schedule.arn, event))


class _ScheduledRule:
    """A rule with a ScheduleExpression on the default bus."""

    def __init__(self, rule: Any) -> None:
        self._rule = rule
        self.version = (id(rule), rule.scheduled_expression, rule.state)

    def next_after(self, moment: datetime, anchor: datetime) -> datetime | None:
        if self._rule.state != "ENABLED":
            return None
        return parse(self._rule.scheduled_expression).next_after(moment, anchor)

    def is_over(self, _: datetime) -> bool:
        return False

    def complete(self) -> None:
        """Keep the rule: rules never go by themselves."""

    def fire(self, delivery: EventDelivery, at: datetime) -> None:
        event = _notification(self._rule.arn, "aws.events", at)
        named = {"arn": self._rule.arn, "name": self._rule.name}
        for target in list(self._rule.targets):
            body = input_of(target, event, named)
            delivery.deliver(Delivery(target, body, self._rule.arn, event))


_RESOLUTION = datetime.resolution


def _notification(arn: str, source: str, at: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": arn.split(":")[4],
        "time": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": arn.split(":")[3],
        "resources": [arn],
        "detail": {},
    }


def _moment(given: float | str | None) -> datetime | None:
    if given is None:
        return None
    if isinstance(given, str):
        return datetime.fromisoformat(given).astimezone(UTC)
    return datetime.fromtimestamp(given, UTC)


def _schedules() -> Iterator[Any]:
    for regions in list(models.scheduler_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.schedule_groups.values()):
                yield from list(group.schedules.values())


def _group(schedule: Any) -> Any:
    _, _, _, region, account, _ = schedule.arn.split(":", 5)
    return models.scheduler_backends[account][region].schedule_groups[schedule.group_name]


def _rules() -> Iterator[Any]:
    for regions in list(events.events_backends.values()):
        for backend in list(regions.values()):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression:
                    yield rule


@once
def _repair() -> None:
    backend = models.EventBridgeSchedulerBackend
    for name in ("create_schedule", "update_schedule"):
        replace(backend, name, _validated(original(backend, name)))


def _validated(operation: Any) -> Any:
    """Refuse what AWS refuses: an expression, a time zone or a group that is not one."""

    def validated(self: Any, **parameters: Any) -> Any:
        try:
            expression = parse(parameters["schedule_expression"])
            ZoneInfo(parameters.get("schedule_expression_timezone") or "UTC")
        except (ScheduleError, KeyError, ValueError) as error:
            raise errors.ValidationException(str(error)) from error
        if isinstance(expression, At) and parameters.get("start_date"):
            parameters["start_date"] = None
        self.get_schedule_group(parameters.get("group_name"))
        return operation(self, **parameters)

    return validated
