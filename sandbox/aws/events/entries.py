"""What fires by the clock: schedules of EventBridge Scheduler, and rules with an expression."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.aws.events.cron import parse
from sandbox.aws.events.inputs import input_of
from sandbox.aws.events.targets import Delivery
from sandbox.aws.repairs import moto_module


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.aws.events.delivery import EventDelivery

models = moto_module("scheduler.models")
events = moto_module("events.models")


class ScheduledTarget:
    """A schedule of EventBridge Scheduler."""

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule
        self.version = (schedule.last_modified_date, schedule.schedule_expression, schedule.state)

    def next_after(self, moment: datetime, anchor: datetime) -> datetime | None:
        """Return when it fires next within its dates, or None; a rate counts from `anchor`."""
        schedule = self._schedule
        if schedule.state != "ENABLED":
            return None
        start, end = _moment(schedule.start_date), _moment(schedule.end_date)
        if start and start > moment:
            moment, anchor = start - datetime.resolution, start
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
        """Send the target its Input, with the scheduler's own words in it replaced."""
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


class ScheduledRule:
    """A rule with a ScheduleExpression on the default bus."""

    def __init__(self, rule: Any) -> None:
        self._rule = rule
        self.version = (id(rule), rule.scheduled_expression, rule.state)

    def next_after(self, moment: datetime, anchor: datetime) -> datetime | None:
        """Return when it fires next; a rate counts from `anchor`."""
        if self._rule.state != "ENABLED":
            return None
        return parse(self._rule.scheduled_expression).next_after(moment, anchor)

    def is_over(self, _: datetime) -> bool:
        """Say no: a rule has no last time."""
        return False

    def complete(self) -> None:
        """Keep the rule: rules never go by themselves."""

    def fire(self, delivery: EventDelivery, at: datetime) -> None:
        """Send every target of the rule a scheduled event."""
        event = _notification(self._rule.arn, "aws.events", at)
        named = {"arn": self._rule.arn, "name": self._rule.name}
        for target in list(self._rule.targets):
            body = input_of(target, event, named)
            delivery.deliver(Delivery(target, body, self._rule.arn, event))


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


def all_schedules() -> Iterator[Any]:
    """Yield every schedule of every account, region and group."""
    for regions in list(models.scheduler_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.schedule_groups.values()):
                yield from list(group.schedules.values())


def _group(schedule: Any) -> Any:
    _, _, _, region, account, _ = schedule.arn.split(":", 5)
    return models.scheduler_backends[account][region].schedule_groups[schedule.group_name]


def all_scheduled_rules() -> Iterator[Any]:
    """Yield every rule with an expression; only default buses have them."""
    for regions in list(events.events_backends.values()):
        for backend in list(regions.values()):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression:
                    yield rule
