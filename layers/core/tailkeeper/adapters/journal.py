"""The journal: what every change wants, written ahead, and what became of it.

changes / <id>                 the head: causes, rounds, outcome, proof, when
change#<id> / <round>#<digest> one entry for each change of a key: before, after, state, receipt
open / change                  the change that is open, if any: a crashed run's successor adopts it

Rounds sort by time: `<fence>-<round>`, since the run that adopts a change counts its own again; and
what takes a round back, `<fence>-<round>-undo`. An entry too large for an item of the table holds
a pointer into the artifact bucket instead of its change.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change
from tailkeeper.moments import rfc3339


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.adapters.artifacts import Artifacts
    from tailkeeper.adapters.table import Item, Table

KEPT = 400 * 24 * 3600  # seconds
ROOM = 100_000  # bytes of a change in an item; DynamoDB holds 400 KB
OPEN = ("open", "change")
INTENDED, APPLIED, CONFLICT = "intended", "applied", "conflict"


@dataclass(frozen=True)
class Entry:
    """One journalled change: its state is `intended`, `applied` or `conflict`."""

    change: Change
    state: str
    receipt: str
    round: str


@dataclass(frozen=True)
class Journal:
    """The journal in the table; `artifacts` take the entries that are too large for it."""

    table: Table
    artifacts: Artifacts

    def begin(self, change_id: str, head: Mapping[str, Any]) -> None:
        """Open a change, or go on with it: the head is merged, the id noted as the open one."""
        self.amend(change_id, head)
        self.table.put({"pk": OPEN[0], "sk": OPEN[1], "id": change_id})

    def amend(self, change_id: str, head: Mapping[str, Any]) -> None:
        """Set parts of a change's head; each part is stored as JSON."""
        values = {name: json.dumps(value) for name, value in head.items()}
        names = ", ".join(f"{name}_ = :{name}" for name in values)
        self.table.update(
            "changes", change_id, f"SET expires_at = :ttl, {names}", ttl=_expiry(), **values
        )

    def head(self, change_id: str) -> dict[str, Any] | None:
        """Return a change's head, or None when there is no such change."""
        item = self.table.get("changes", change_id)
        return _head(item) if item else None

    def heads(self, limit: int = 20) -> list[dict[str, Any]]:
        """Return the newest changes' heads, newest first."""
        return [_head(item) for item in self.table.query("changes", limit=limit, newest=True)]

    def open_change(self) -> str | None:
        """Return the id of the change that is open, if any."""
        item = self.table.get(*OPEN)
        return item["id"] if item else None

    def open_head(self) -> dict[str, Any] | None:
        """Return the head of the change that is open, if any."""
        change_id = self.open_change()
        return self.head(change_id) if change_id else None

    def abandon(self, why: str, *, but: str) -> None:
        """Close what a dead run left open as failed, unless it is the change `but`."""
        change_id = self.open_change()
        if change_id and change_id != but:
            closed = rfc3339(time.time())
            self.close(change_id, {"outcome": "failed", "why": why, "closed": closed})

    def close(self, change_id: str, head: Mapping[str, Any]) -> None:
        """Close a change with its outcome."""
        self.amend(change_id, head)
        self.table.delete(*OPEN, "id = :id OR attribute_not_exists(id)", id=change_id)

    def intend(self, change_id: str, round_: str, changes: Iterable[Change]) -> None:
        """Write what is about to be written, before it is. Writing it twice is harmless."""
        self.receipt(change_id, round_, ((change, INTENDED, "") for change in changes))

    def receipt(
        self, change_id: str, round_: str, results: Iterable[tuple[Change, str, str]]
    ) -> None:
        """Note what became of each change: (change, `applied` or `conflict`, receipt)."""
        self.table.write(self._item(change_id, round_, *result) for result in results)

    def entries(self, change_id: str) -> Iterator[Entry]:
        """Yield every entry of a change, in the order of its rounds."""
        return map(self._entry, self.table.items(f"change#{change_id}"))

    def _item(self, change_id: str, round_: str, change: Change, state: str, receipt: str) -> Item:
        packed = self.artifacts.keep(change.as_json(), ROOM)
        return {
            "pk": f"change#{change_id}",
            "sk": f"{round_}#{change.digest}",
            "change": json.dumps(packed.get("inline", packed)),
            "state": state,
            "receipt": receipt,
            "at": rfc3339(time.time()),
            "expires_at": _expiry(),
        }

    def _entry(self, item: Item) -> Entry:
        document = json.loads(item["change"])
        if "artifact" in document:
            document = self.artifacts.unpack(document)
        round_ = item["sk"].partition("#")[0]
        return Entry(Change.from_json(document), item["state"], item["receipt"], round_)


def round_of(fence: int, number: int | str) -> str:
    """Return a round's name in the journal; `3-undo` comes after round 3 and before round 4."""
    count, _, word = str(number).partition("-")
    return f"{fence:06}-{count:0>4}" + (f"-{word}" if word else "")


def _expiry() -> int:
    return int(time.time()) + KEPT


def _head(item: Item) -> dict[str, Any]:
    head = {name[:-1]: json.loads(value) for name, value in item.items() if name.endswith("_")}
    return {"id": item["sk"], **head}
