"""What we wrote last to each key of a place, and over whose values: how others are told from us.

A value that is not the one that we wrote last is somebody else's. It is written over once; when the
same writer brings his own back within a day, the key is held (`tailkeeper.coexistence.reverts`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tailkeeper.model import digest_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOMEBODY = "somebody"  # whose value it is, where a place does not say
KEPT_LINES = 1000  # of one place, the newest
KEPT_TIMES = 8  # of writing over others, the newest


@dataclass(frozen=True, slots=True)
class Line:
    """What we wrote last to one key.

    `value` and `before` stand for what we wrote and what was there; until the write is `done`,
    either is ours. `over` says when (epoch seconds) we wrote over whose value.
    """

    value: str
    before: str
    at: float
    done: bool = False
    over: tuple[tuple[str, float], ...] = ()

    def wrote(self, standing: Any) -> bool:
        """Say whether what stands there is ours; after a crash, what was there before is too."""
        mark = mark_of(standing)
        return mark == self.value or (not self.done and mark == self.before)

    def times_over(self, writer: str, since: float) -> int:
        """Return how often we wrote over this writer's values since then."""
        return sum(who == writer and when >= since for who, when in self.over)

    @classmethod
    def from_json(cls, document: Iterable[Any]) -> Line:
        """Read a line as `as_json` writes it."""
        value, before, at, done, over = document
        return cls(value, before, at, bool(done), tuple((who, when) for who, when in over))

    def as_json(self) -> list[Any]:
        """Return the line as the table keeps it, many to an item."""
        return [
            self.value,
            self.before,
            self.at,
            int(self.done),
            [list(pair) for pair in self.over],
        ]


def mark_of(value: Any) -> str:
    """Return what stands for a value in a line."""
    return digest_of(value)[:16]


def noted(line: Line | None, before: Any, after: Any, writer: str, now: float) -> Line:
    """Return the line of a key before `after` is written over `before`, which `writer` may own."""
    over = line.over if line else ()
    if line and not line.wrote(before):
        over = (*over, (writer, now))[-KEPT_TIMES:]
    return Line(mark_of(after), mark_of(before), now, over=over)


def settled(lines: Mapping[str, Line], keys: Iterable[str]) -> dict[str, Line]:
    """Return the lines after the writes of these keys came through."""
    return {**lines, **{key: replace(lines[key], done=True) for key in keys if key in lines}}


def newest(lines: Mapping[str, Line]) -> dict[str, Line]:
    """Return as many of the newest lines as are kept."""
    by_age = sorted(lines.items(), key=lambda item: item[1].at, reverse=True)
    return dict(by_age[:KEPT_LINES])
