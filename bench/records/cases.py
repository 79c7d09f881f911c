"""What happens to the zone, and what is wanted of it then."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from bench.records.zones import GATEWAY, MOVED, ZONE, names


PAGE, OPERATIONS = 5000, 3500  # what Cloudflare lists, and takes, at once on a paid plan
FEW = 5  # names that are read one by one


@dataclass(frozen=True)
class Case:
    """A zone with so many names, and what is wanted of it.

    `wanted` are names, all with the target `target`; `rounds` how often either side runs it.
    `event` lets ours plan from memory; `bare` spares octoDNS the marks. `calls` is how many ours
    may make; the limit is ours ÷ octoDNS, of the CPU or the wall time.
    """

    title: str
    held: int
    wanted: tuple[str, ...]
    calls: int
    target: str = GATEWAY
    foreign: int = 0
    event: bool = False
    bare: bool = False
    delay_ms: int = 0
    rounds: int = 5
    limit: float = 0
    measure: str = "cpu"

    @property
    def others(self) -> list[dict[str, Any]]:
        """Return the records that belong to others, one of them at a name that is wanted."""
        crowd = [f"f{number:05}" for number in range(self.foreign)]
        taken = [name for name in self.wanted if self.foreign and name == names(self.held + 1)[-1]]
        return [
            {"name": f"{name}.{ZONE}", "type": "A", "content": "192.0.2.1", "ttl": 1}
            for name in (*crowd, *taken)
        ]


def in_step(records: int, *, event: bool = False, limit: float = 0) -> Case:
    """Return the case of a zone of so many records in which nothing is to do."""
    held = records // 2
    title = f"no-op{' event' if event else ''}, {records:,} records"
    calls = 0 if event else ceil(records / PAGE)
    wanted = tuple(names(held))
    return Case(title, held, wanted, calls, event=event, rounds=rounds_of(records), limit=limit)


def more(count: int, records: int) -> Case:
    """Return the case of an event that adds some names to a zone of so many records."""
    held, rounds = records // 2, rounds_of(records)
    title = f"{count} change{'s' if count > 1 else ''}, {records:,} records"
    read = count if count <= FEW else ceil(records / PAGE)
    return Case(title, held, tuple(names(held + count)), read + 1, event=True, rounds=rounds)


def creates(records: int, *, delay_ms: int = 0, limit: float, measure: str = "cpu") -> Case:
    """Return the case of an empty zone that is to hold so many records: seen, read, written."""
    title = f"{records:,} creates{f' at {delay_ms} ms' if delay_ms else ''}"
    wanted, calls = tuple(names(records // 2)), 2 + ceil(records / OPERATIONS)
    return Case(title, 0, wanted, calls, delay_ms=delay_ms, limit=limit, measure=measure)


def rounds_of(records: int) -> int:
    """Return how often a zone of so many records is worth running: octoDNS takes its minute."""
    return 5 if records < 10_000 else 3 if records < 50_000 else 1


SIZES = (100, 1000, 10_000, 50_000)
EVENTS = [more(1, size) for size in SIZES]
CASES = [
    in_step(100),
    in_step(1000, limit=1 / 4),
    in_step(10_000, limit=1 / 8),
    in_step(50_000),
    in_step(1000, event=True),
    *EVENTS,
    more(30, 1000),
    Case("gateway moved, 5 names", 5, tuple(names(5)), 6, target=MOVED, event=True),
    Case("gateway moved, 50 names", 50, tuple(names(50)), 2, target=MOVED, event=True),
    creates(1000, limit=1 / 8),
    creates(100, delay_ms=50, limit=1 / 15, measure="wall"),
    Case("empty source, 50 names", 50, (), 1, bare=True),
    Case("9 of 9 gone", 9, (), 1, bare=True),
    Case("21 records of others", 50, tuple(names(51)), 1, foreign=20),
]
