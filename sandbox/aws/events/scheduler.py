"""EventBridge Scheduler, and rules with a schedule: they fire; moto only remembers them.

Schedules run by the world's clock, so `speed` divides their intervals. A rate counts from its
StartDate, or one interval after the schedule was last changed. Flexible windows are ignored.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.aws.events.cron import At, ScheduleError, parse
from sandbox.aws.events.entries import (
    ScheduledRule,
    ScheduledTarget,
    all_scheduled_rules,
    all_schedules,
)
from sandbox.aws.repairs import moto_module, once, original, replace
from sandbox.clock import Clock


if TYPE_CHECKING:
    from sandbox.aws.events.delivery import EventDelivery


models = moto_module("scheduler.models")
errors = moto_module("scheduler.exceptions")
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

    def count_anew(self) -> None:
        """Let every rate count from now on."""
        self._due = {}

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
        for schedule in list(all_schedules()):
            self._look_at(schedule.arn, ScheduledTarget(schedule), now)
        for rule in list(all_scheduled_rules()):
            self._look_at(rule.arn, ScheduledRule(rule), now)

    def _look_at(self, arn: str, entry: ScheduledTarget | ScheduledRule, now: datetime) -> None:
        due = self._due.get(arn)
        if due is None or due.version != entry.version:
            due = self._due[arn] = Due(entry.version, entry.next_after(now, now))
        elif due.at and due.at <= now:
            entry.fire(self._delivery, due.at)
            due = self._due[arn] = Due(entry.version, entry.next_after(now, due.at))
        if due.at is None and entry.is_over(now):
            entry.complete()
            self._due.pop(arn, None)


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
