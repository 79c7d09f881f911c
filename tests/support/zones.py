"""A Cloudflare zone in memory: batches in Cloudflare's order, one transaction, by its rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Record = dict[str, Any]

ADDRESSES = {"A", "AAAA"}
ANSWERS = {*ADDRESSES, "CNAME"}
FIELDS = ("name", "type", "content", "ttl", "proxied", "comment", "tags")


class RefusedError(Exception):
    """Cloudflare would refuse this write."""


@dataclass
class Zone:
    """The records by id; a refused batch changes nothing."""

    records: dict[str, Record] = field(default_factory=dict)
    ids: Any = field(default_factory=count)

    def add(self, record: Mapping[str, Any], prefix: str = "r") -> None:
        """Create a record, or raise RefusedError."""
        whole = {"ttl": 1, "proxied": False, "comment": "", "tags": [], **record}
        self._check(whole)
        identity = f"{prefix}{next(self.ids)}"
        self.records[identity] = {**whole, "id": identity}

    def carry_out(self, body: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Carry out a batch's body: deletes, patches, posts."""
        before = dict(self.records)
        try:
            for delete in body.get("deletes", ()):
                del self.records[delete["id"]]
            for patch in body.get("patches", ()):
                self._patch(patch)
            for post in body.get("posts", ()):
                self.add(post)
        except (RefusedError, KeyError):
            self.records = before
            raise

    def _patch(self, patch: Mapping[str, Any]) -> None:
        standing = self.records.pop(patch["id"])
        if patch["type"] != standing["type"]:
            raise RefusedError("a patch changes no type")
        self._check({**standing, **patch})
        self.records[patch["id"]] = {**standing, **patch}

    def _check(self, record: Mapping[str, Any]) -> None:
        for other in self.records.values():
            if other["name"] != record["name"]:
                continue
            kinds = {other["type"], record["type"]}
            if "CNAME" in kinds and (kinds == {"CNAME"} or kinds & ADDRESSES):
                raise RefusedError(f"{record['name']} has a CNAME, or would")
            if "NS" in kinds and kinds != {"NS"}:
                raise RefusedError(f"{record['name']} is delegated, or would be")
            if len(kinds) == 1 and other["content"] == record["content"]:
                raise RefusedError(f"{record['name']} has an identical record")

    def answering(self) -> set[str]:
        """Return the names that have an answer."""
        return {r["name"] for r in self.records.values() if r["type"] in ANSWERS}

    def said(self, prefix: str = "") -> list[tuple[Any, ...]]:
        """Return what the records with such ids say, without their ids."""
        found = [r for identity, r in self.records.items() if identity.startswith(prefix)]
        return sorted(tuple(str(record[field]) for field in FIELDS) for record in found)
