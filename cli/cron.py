"""Kubernetes's cron schedules: five fields, or a macro, as robfig/cron v3 reads them.

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = {name: number for number, name in enumerate(WEEK)}
MONTHS = {name: number for number, name in enumerate(YEAR, start=1)}
NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, MONTHS, DAYS)
HORIZON = timedelta(days=5 * 366)  # past a leap day on a given weekday's month


class CronError(ValueError):
    """The text is no schedule, or none that ever fires."""


@dataclass(frozen=True)
class Schedule:
    """The minutes, hours, days, months and weekdays of a schedule, in a time zone.

    As in every cron, a day fits if either of its two fields does, when both are restricted.
    """

    fields: tuple[frozenset[int], ...]
    either_day: bool
    zone: ZoneInfo

    def next_after(self, moment: float) -> float:
        """Return the first firing after an epoch second; raise CronError when there is none."""
        start = datetime.fromtimestamp(moment, UTC).astimezone(self.zone)
        at = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while at - start < HORIZON:
            if not self._has_day(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.fields[1]:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.fields[0]:
                at += timedelta(minutes=1)
            else:
                return at.timestamp()
        raise CronError("the schedule never fires")

    def _has_day(self, at: datetime) -> bool:
        _, _, days, months, weekdays = self.fields
        by_day, by_weekday = at.day in days, at.isoweekday() % 7 in weekdays
        fits = by_day or by_weekday if self.either_day else by_day and by_weekday
        return at.month in months and fits


def parse(text: str, zone: str = "UTC") -> Schedule:
    """Read a schedule; raise CronError with what is wrong with it."""
    words = MACROS.get(text.strip().lower(), text).split()
    if len(words) != len(BOUNDS):
        raise CronError(f"{text!r} has {len(words)} fields instead of 5")
    try:
        fields = tuple(_field(word, place) for place, word in enumerate(words))
        return Schedule(fields, words[2][0] not in "*?" and words[4][0] not in "*?", ZoneInfo(zone))
    except ZoneInfoNotFoundError:
        raise CronError(f"there is no time zone {zone!r}") from None


def _field(word: str, place: int) -> frozenset[int]:
    return frozenset(n for part in word.split(",") for n in _part(part, place))


def _part(part: str, place: int) -> range:
    low, high = BOUNDS[place]
    span, _, step = part.partition("/")
    first, dash, last = span.partition("-")
    try:
        if span in {"*", "?"}:
            start, end = low, high
        else:
            start = _number(first, place)
            end = _number(last, place) if dash else high if step else start
        found = range(start, end + 1, int(step or 1))
    except ValueError:
        raise CronError(f"{part!r} is no part of a schedule") from None
    if not low <= start <= end <= high:
        raise CronError(f"{part!r} is outside {low}-{high}")
    return found


def _number(text: str, place: int) -> int:
    return NAMES[place].get(text.lower()[:3], -1) if text.isalpha() else int(text)
