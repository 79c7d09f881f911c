"""The journal: what every change wants, written ahead, and what became of it.

changes / <id>                 the head: causes, rounds, outcome, proof, when
change#<id> / <round>#<digest> one entry for each change of a key: before, after, state, receipt
open / change                  the change that is open, if any: a crashed run's successor adopts it

Rounds sort by time: `<fence>-<round>`, since the run that adopts a change counts its own again; and
what takes a round back, `<fence>-<round>-undo`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.adapters.table import Item, Table

KEPT = 400 * 24 * 3600  # seconds
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
    """The journal in the table."""

    table: Table

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

    def close(self, change_id: str, head: Mapping[str, Any]) -> None:
        """Close a change with its outcome."""
        self.amend(change_id, head)
        self.table.delete(*OPEN, "id = :id OR attribute_not_exists(id)", id=change_id)

    def intend(self, change_id: str, round_: str, changes: Iterable[Change]) -> None:
        """Write what is about to be written, before it is. Writing it twice is harmless."""
        self.table.write(_entry_item(change_id, round_, change, INTENDED, "") for change in changes)

    def receipt(
        self, change_id: str, round_: str, results: Iterable[tuple[Change, str, str]]
    ) -> None:
        """Note what became of each change: (change, `applied` or `conflict`, receipt)."""
        self.table.write(_entry_item(change_id, round_, *result) for result in results)

    def entries(self, change_id: str) -> list[Entry]:
        """Return every entry of a change, in the order of its rounds."""
        return [_entry(item) for item in self.table.query(f"change#{change_id}")]


def round_of(fence: int, number: int | str) -> str:
    """Return a round's name in the journal; `3-undo` comes after round 3 and before round 4."""
    count, _, word = str(number).partition("-")
    return f"{fence:06}-{count:0>4}" + (f"-{word}" if word else "")


def _expiry() -> int:
    return int(time.time()) + KEPT


def _head(item: Item) -> dict[str, Any]:
    head = {name[:-1]: json.loads(value) for name, value in item.items() if name.endswith("_")}
    return {"id": item["sk"], **head}


def _entry_item(change_id: str, round_: str, change: Change, state: str, receipt: str) -> Item:
    return {
        "pk": f"change#{change_id}",
        "sk": f"{round_}#{change.digest}",
        "change": json.dumps(change.as_json()),
        "state": state,
        "receipt": receipt,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "expires_at": _expiry(),
    }


def _entry(item: Item) -> Entry:
    change = Change.from_json(json.loads(item["change"]))
    return Entry(change, item["state"], item["receipt"], item["sk"].partition("#")[0])
