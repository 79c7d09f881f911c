"""When a schedule fires next: `rate()`, `at()` and AWS's six-field `cron()`, as pure functions.

By the EventBridge Scheduler user guide, "Schedule types": minutes, hours, day of month, month, day
of week (1 is Sunday), year; `, - * ? / L W #`; times that daylight saving skips do not fire, and
those that it repeats fire once.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


MONTHS = {name.upper(): i for i, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: i for i, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
SATURDAY = 7
FIRST_YEAR, LAST_YEAR = 1970, 2199


class ScheduleError(ValueError):
    """An expression that AWS would not take."""


@dataclass(frozen=True)
class Rate:
    """Fires every `every` from its anchor on."""

    every: timedelta

    def next_after(self, moment: datetime, anchor: datetime, _: tzinfo = UTC) -> datetime:
        """Return the first occurrence later than `moment`; the anchor itself is the first."""
        if moment < anchor:
            return anchor
        return anchor + ((moment - anchor) // self.every + 1) * self.every


@dataclass(frozen=True)
class At:
    """Fires once, at a local time."""

    when: datetime

    def next_after(self, moment: datetime, _: datetime, zone: tzinfo = UTC) -> datetime | None:
        """Return the occurrence when it is still to come."""
        when = self.when.replace(tzinfo=zone).astimezone(UTC)
        return when if when > moment else None


@dataclass(frozen=True)
class Cron:
    """The values each field allows; days keep their text, which depends on the month."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    def next_after(self, moment: datetime, _: datetime, zone: tzinfo = UTC) -> datetime | None:
        """Return the first occurrence later than `moment`, in UTC, or None when there is none."""
        local = moment.astimezone(zone)
        for day in self._days_from(local.date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = _exact(datetime(day.year, day.month, day.day, hour, minute), zone)  # noqa: DTZ001
                    if found and found > moment:
                        return found
        return None

    def _days_from(self, first: date) -> Iterator[date]:
        for year in sorted(y for y in self.years if y >= first.year):
            for month in sorted(self.months):
                for number in sorted(self._days_of(year, month)):
                    if (day := date(year, month, number)) >= first:
                        yield day

    def _days_of(self, year: int, month: int) -> set[int]:
        if self.weekdays == "?":
            return _by_day_of_month(self.days, year, month)
        return _by_weekday(self.weekdays, year, month)


def parse(expression: str) -> Rate | At | Cron:
    """Read a schedule expression; raise ScheduleError with what is wrong in it."""
    found = re.fullmatch(r"\s*(rate|at|cron)\((.*)\)\s*", expression)
    if found is None:
        raise ScheduleError(f"Invalid Schedule Expression {expression}.")
    try:
        return READERS[found[1]](found[2].strip())
    except (KeyError, ValueError) as error:
        raise ScheduleError(f"Invalid Schedule Expression {expression}. {error}") from error


def _rate(text: str) -> Rate:
    found = re.fullmatch(r"([1-9]\d*)\s+(minute|hour|day)s?", text)
    if found is None:
        raise ScheduleError("A rate is a positive number and minutes, hours or days.")
    return Rate(timedelta(**{f"{found[2]}s": int(found[1])}))


def _at(text: str) -> At:
    return At(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 - the zone comes apart


def _cron(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise ScheduleError("A cron expression has six fields.")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError("One of day-of-month and day-of-week, and not both, must be `?`.")
    cron = Cron(
        minutes=_values(minutes, 0, 59),
        hours=_values(hours, 0, 23),
        days=days,
        months=_values(months, 1, 12, MONTHS),
        weekdays=weekdays,
        years=_values(years, FIRST_YEAR, LAST_YEAR),
    )
    cron._days_of(2024, 1)
    return cron


READERS: dict[str, Callable[[str], Rate | At | Cron]] = {"rate": _rate, "at": _at, "cron": _cron}


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """Return the numbers that a field of commas, ranges, steps and names stands for."""
    values: set[int] = set()
    for part in field.split(","):
        base, _, step = part.partition("/")
        first, _, last = base.partition("-")
        start = low if first == "*" else _number(first, low, high, names or {})
        end = _number(last, low, high, names or {}) if last else start
        if first == "*" or (step and not last):
            end = high
        stride = int(step) if step else 1
        wrapped = end if end >= start else end + high - low + 1
        values.update((n - low) % (high - low + 1) + low for n in range(start, wrapped + 1, stride))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names[text] if text in names else int(text)
    if not low <= number <= high:
        raise ScheduleError(f"{text} is not between {low} and {high}.")
    return number


def _by_day_of_month(field: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    if field in {"L", "LW"}:
        return {last if field == "L" else _nearest_weekday(year, month, last)}
    if field.endswith("W"):
        return {_nearest_weekday(year, month, min(_number(field[:-1], 1, 31, {}), last))}
    return {day for day in _values(field, 1, 31) if day <= last}


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the Monday to Friday nearest to a day, without leaving its month."""
    last = calendar.monthrange(year, month)[1]
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < last else day - 2
    return day


def _by_weekday(field: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    if "#" in field:
        name, _, nth = field.partition("#")
        same = _days_named(_number(name, 1, 7, DAYS), year, month)
        return set(same[int(nth) - 1 : int(nth)])
    if field != "L" and field.endswith("L"):
        return {_days_named(_number(field[:-1], 1, 7, DAYS), year, month)[-1]}
    wanted = {SATURDAY} if field == "L" else _values(field, 1, 7, DAYS)
    return {day for day in range(1, last + 1) if _aws_weekday(year, month, day) in wanted}


def _days_named(weekday: int, year: int, month: int) -> list[int]:
    last = calendar.monthrange(year, month)[1]
    return [day for day in range(1, last + 1) if _aws_weekday(year, month, day) == weekday]


def _aws_weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _exact(local: datetime, zone: tzinfo) -> datetime | None:
    """Return a local time in UTC, or None when daylight saving skips it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
