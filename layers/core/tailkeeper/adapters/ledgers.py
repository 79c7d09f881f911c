"""The ledger in the table: `ledger` / <place>, one item with the newest thousand lines."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.packing import packed, unpacked
from tailkeeper.coexistence import ledger
from tailkeeper.coexistence.ledger import SOMEBODY, Line


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tailkeeper.adapters.table import Table
    from tailkeeper.adapters.writing import Written
    from tailkeeper.model import Change

PARTITION = "ledger"


def ledgers(table: Table) -> dict[str, dict[str, Line]]:
    """Return every place's lines."""
    return {item["sk"]: _lines(item) for item in table.query(PARTITION)}


@dataclass(frozen=True)
class Ledger:
    """The lines of one place; only the run that holds the lease writes them."""

    table: Table
    place: str

    def lines(self) -> dict[str, Line]:
        """Return the lines by key."""
        return _lines(self.table.get(PARTITION, self.place) or {})

    def noting(
        self, write: Callable[[Sequence[Change]], Written]
    ) -> Callable[[Sequence[Change]], Written]:
        """Return a `write` that notes each change's value before, and that it is done after."""

        def noted(changes: Sequence[Change]) -> Written:
            noted = self.note([(change.key, change.before, change.after) for change in changes])
            written = write(changes)
            self.settle(noted, {change.key for change in changes} - written.refused.keys())
            return written

        return noted

    @contextmanager
    def noted(self, writes: Sequence[tuple[str, Any, Any]], writer: str) -> Iterator[None]:
        """Note writes, as (key, before, after), and when the block comes through, that they did."""
        lines = self.note(writes, writer) if writes else {}
        yield
        if writes:
            self.settle(lines, [key for key, _, _ in writes])

    def note(
        self, writes: Sequence[tuple[str, Any, Any]], writer: str = SOMEBODY
    ) -> dict[str, Line]:
        """Note what is about to be written, as (key, before, after); return all lines.

        Of more writes than a ledger keeps, the last ones are noted.
        `writer` is whose the value before is, where it is not ours.
        """
        lines, now = self.lines(), time.time()
        for key, before, after in writes[-ledger.KEPT_LINES :]:
            lines[key] = ledger.noted(lines.get(key), before, after, writer, now)
        self._keep(lines)
        return lines

    def settle(self, lines: Mapping[str, Line], keys: Iterable[str]) -> None:
        """Note that the writes of these keys came through."""
        self._keep(ledger.settled(lines, keys))

    def _keep(self, lines: Mapping[str, Line]) -> None:
        document = {key: line.as_json() for key, line in ledger.newest(lines).items()}
        self.table.put({"pk": PARTITION, "sk": self.place, "document": packed(document)})


def _lines(item: Mapping[str, Any]) -> dict[str, Line]:
    document = unpacked(item["document"]) if item else {}
    return {key: Line.from_json(line) for key, line in document.items()}
