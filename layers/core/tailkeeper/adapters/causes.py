"""The causes that wait for a run: items of their own, so that no event is lost to another."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.model import SURFACES, Cause


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tailkeeper.adapters.table import Table

WAITING = "causes"
KEPT = 7 * 24 * 3600  # seconds, as the causes themselves
AT_ONCE = 1000


@dataclass(frozen=True)
class Waiting:
    """A cause as it waits: its sort key and the surfaces that it is about."""

    key: str
    cause: Cause
    surfaces: tuple[str, ...]


@dataclass(frozen=True)
class Causes:
    """The waiting causes in the table (the Converge machine stores them)."""

    table: Table

    def waiting(self) -> list[Waiting]:
        """Return up to a thousand waiting causes, oldest first."""
        return [
            Waiting(
                item["sk"],
                Cause.from_json(json.loads(item["cause"])),
                tuple(json.loads(item.get("surfaces", "null")) or SURFACES),
            )
            for item in self.table.query(WAITING, limit=AT_ONCE)
        ]

    def take(self, run: str, round_: int, keys: Iterable[str]) -> None:
        """Note which causes a round of a run observed, so that its end consumes just these."""
        expiry = int(time.time()) + KEPT  # for the note of a run that dies
        note = {"pk": f"run#{run}", "sk": f"round#{round_:04}", "expires_at": expiry}
        self.table.put({**note, "keys": list(keys)})

    def consume(self, run: str, but: Collection[str] = ()) -> None:
        """Delete the causes that the run has observed, but some, then the note of them."""
        rounds = self.table.query(f"run#{run}")
        # A cause is seen by each round until the end; a batch names an item once.
        seen = {key for item in rounds for key in item["keys"]}.difference(but)
        self.table.write(deletes=[(WAITING, key) for key in seen])
        self.table.write(deletes=[(item["pk"], item["sk"]) for item in rounds])
