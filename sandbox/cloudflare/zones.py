"""One zone: its records by id and by name, and changes that happen whole or not at all."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sandbox.cloudflare.conflicts import refuse_conflicts
from sandbox.cloudflare.errors import Refused, no_record, refused
from sandbox.cloudflare.fields import PLANS, Plan, settled, writable
from sandbox.cloudflare.names import ancestors


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Record:
    """One record as the API shows it; replaced, never changed."""

    wire: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The record as JSON, encoded once."""
        return json.dumps(self.wire)


Change = tuple[Record | None, Record | None]


@dataclass(eq=False)
class Zone:
    """A zone and its records; `now` says the time of a change as the API writes it."""

    id: str
    name: str
    now: Callable[[], str]
    plan: Plan = PLANS["free"]
    quota: int | None = None
    created_on: str = ""
    by_id: dict[str, Record] = field(default_factory=dict)
    by_name: dict[str, dict[str, Record]] = field(default_factory=dict)
    below: Counter[str] = field(default_factory=Counter)
    _undo: list[Change] | None = None
    _sorted: list[Record] | None = None

    @property
    def name_servers(self) -> list[str]:
        """The two servers that Cloudflare assigned, the same for good."""
        pairs = ("ada", "hugo"), ("lara", "kirk"), ("nora", "todd"), ("vera", "walt")
        return [f"{name}.ns.cloudflare.com" for name in pairs[len(self.name) % len(pairs)]]

    @property
    def records(self) -> list[Record]:
        """All records, by type, name and content."""
        if self._sorted is None:
            self._sorted = sorted(self.by_id.values(), key=_type_name_content)
        return self._sorted

    def named(self, name: str) -> list[Record]:
        """Return the records of exactly this name."""
        return list(self.by_name.get(name, {}).values())

    def exists(self, name: str) -> bool:
        """Say whether the name, or one below it, has a record (RFC 4592's existing names)."""
        return name == self.name or name in self.by_name or self.below[name] > 0

    def get(self, record_id: str) -> Record:
        """Return a record; raise Refused (81044) if there is none."""
        if record_id not in self.by_id:
            raise no_record()
        return self.by_id[record_id]

    def create(self, fields: dict[str, Any]) -> Record:
        """Add a record; raise Refused for a bad one, a conflict, or a full zone."""
        limit = self.plan.records if self.quota is None else self.quota
        if len(self.by_id) >= limit:
            raise refused(81045, "Record quota exceeded.")
        return self._write(None, writable(fields))

    def put(self, record_id: str, fields: dict[str, Any]) -> Record:
        """Replace a record: what is not given falls back to its default."""
        return self._write(self.get(record_id), writable(fields))

    def patch(self, record_id: str, fields: dict[str, Any]) -> Record:
        """Change the given fields of a record."""
        old = self.get(record_id)
        kept = writable(old.wire)
        if "content" in fields:
            kept.pop("data", None)
        return self._write(old, kept | writable(fields))

    def delete(self, record_id: str) -> Record:
        """Remove a record and return it."""
        old = self.get(record_id)
        self._swap(old, None)
        return old

    def restore(self, wire: dict[str, Any]) -> None:
        """Add a saved record, or one put by the admin API, which need not be complete."""
        try:
            fields = settled(wire, self.name, PLANS["enterprise"])
        except Refused as error:
            raise ValueError(f"record {wire.get('name')!r}: {error.errors[0]}") from error
        now = self.now()
        made = {"id": uuid.uuid4().hex, "created_on": now, "modified_on": now}
        self._swap(None, Record(made | fields | _kept(wire)))

    @contextmanager
    def transaction(self) -> Iterator[list[Change]]:
        """Take back every change if the block raises; else yield them, in order."""
        changes: list[Change] = []
        self._undo = changes
        try:
            yield changes
        except BaseException:
            for before, after in reversed(changes[:]):
                self._swap(after, before)
            raise
        finally:
            self._undo = None

    def _write(self, old: Record | None, fields: dict[str, Any]) -> Record:
        wire = settled(fields, self.name, self.plan)
        others = [record.wire for record in self.named(wire["name"]) if record is not old]
        refuse_conflicts(wire, others)
        before = old.wire if old else {"id": uuid.uuid4().hex, "created_on": self.now()}
        new = Record({"id": before["id"]} | wire | _stamps(before, wire, self.now()))
        self._swap(old, new)
        return new

    def _swap(self, old: Record | None, new: Record | None) -> None:
        """Make the one move that every change is made of."""
        if old:
            self._drop(old)
        if new:
            self._add(new)
        if self._undo is not None:
            self._undo.append((old, new))
        self._sorted = None

    def _add(self, record: Record) -> None:
        name, record_id = record.wire["name"], record.wire["id"]
        self.by_id[record_id] = record
        self.by_name.setdefault(name, {})[record_id] = record
        self.below.update(ancestors(name, self.name))

    def _drop(self, record: Record) -> None:
        name, record_id = record.wire["name"], record.wire["id"]
        del self.by_id[record_id], self.by_name[name][record_id]
        if not self.by_name[name]:
            del self.by_name[name]
        self.below.subtract(ancestors(name, self.name))


def _type_name_content(record: Record) -> tuple[str, str, str]:
    return record.wire["type"], record.wire["name"], record.wire["content"]


def _kept(wire: dict[str, Any]) -> dict[str, Any]:
    ours = ("id", "created_on", "modified_on", "comment_modified_on", "tags_modified_on")
    return {key: wire[key] for key in ours if wire.get(key)}


def _stamps(before: dict[str, Any], wire: dict[str, Any], now: str) -> dict[str, str]:
    """Return the times of a written record; a comment's and the tags' move only with them."""
    stamps = {"created_on": before["created_on"], "modified_on": now}
    for key in ("comment", "tags"):
        stamp = f"{key}_modified_on"
        if (wire[key] or None) != (before.get(key) or None):
            stamps[stamp] = now
        elif stamp in before:
            stamps[stamp] = before[stamp]
    return stamps
