"""What happens to the zone, and what is wanted of it then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.records.zones import GATEWAY, MOVED, ZONE, names


@dataclass(frozen=True)
class Case:
    """A zone with so many names, and what is wanted of it.

    `wanted` are names, all with the target `target`; `rounds` how often either side runs it.
    `event` lets ours plan from memory; `bare` spares octoDNS the marks. The limit is ours ÷
    octoDNS, of the CPU or the wall time.
    """

    title: str
    held: int
    wanted: tuple[str, ...]
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


def in_step(records: int, *, rounds: int = 5, limit: float = 0) -> Case:
    """Return the case of a zone of so many records in which nothing is to do."""
    held = records // 2
    return Case(f"no-op, {records:,} records", held, tuple(names(held)), rounds=rounds, limit=limit)


def one_more(records: int, rounds: int) -> Case:
    """Return the case of one name more, in a zone of so many records."""
    held = records // 2
    title = f"1 change, {records:,} records"
    return Case(title, held, tuple(names(held + 1)), event=True, rounds=rounds)


def creates(records: int, *, delay_ms: int = 0, limit: float, measure: str = "cpu") -> Case:
    """Return the case of an empty zone that is to hold so many records."""
    late = f" at {delay_ms} ms" if delay_ms else ""
    title = f"{records:,} creates{late}"
    wanted = tuple(names(records // 2))
    return Case(title, 0, wanted, delay_ms=delay_ms, limit=limit, measure=measure)


SIZES = (100, 1000, 10_000, 50_000)
EVENTS = [one_more(size, rounds=5 if size < 10_000 else 1) for size in SIZES]
CASES = [
    in_step(100),
    in_step(1000, limit=1 / 4),
    in_step(10_000, limit=1 / 8),
    in_step(50_000, rounds=1),
    *EVENTS,
    Case("30 changes", 500, tuple(names(530))),
    Case("gateway moved, 50 names", 50, tuple(names(50)), target=MOVED),
    creates(1000, limit=1 / 8),
    creates(100, delay_ms=50, limit=1 / 15, measure="wall"),
    Case("empty source", 50, (), bare=True),
    Case("9 of 9 gone", 9, (), bare=True),
    Case("20 records of others", 50, tuple(names(51)), foreign=20),
]
