"""Field managers, and `metadata.managedFields`, in which objects remember them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.kubernetes.ownership.paths import NOTHING, Paths, from_tree, tree


Operation = Literal["Apply", "Update"]
Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Manager:
    """Who writes, how, and through which subresource ("" for the object itself)."""

    name: str
    operation: Operation
    api_version: str
    subresource: str = ""

    @property
    def identity(self) -> Identity:
        """Return what makes two entries one: for appliers the version does not matter."""
        version = self.api_version if self.operation == "Update" else ""
        return self.operation, self.name, version, self.subresource

    def __str__(self) -> str:
        """Name the manager as conflicts do."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return text if self.operation == "Apply" else f"{text} using {self.api_version}"


@dataclass(frozen=True)
class Entry:
    """What a manager owns, since when (RFC 3339)."""

    manager: Manager
    paths: Paths = NOTHING
    time: str = ""

    def without(self, paths: Paths) -> Entry:
        """Return the entry without these paths."""
        return replace(self, paths=self.paths - paths)

    def as_json(self) -> dict[str, Any]:
        """Return the entry as `managedFields` lists it."""
        entry = {
            "manager": self.manager.name,
            "operation": self.manager.operation,
            "apiVersion": self.manager.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": tree(self.paths),
            "subresource": self.manager.subresource,
        }
        return {k: v for k, v in entry.items() if v or k == "fieldsV1"}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Entry:
        """Read an entry; raise ValueError or KeyError on what cannot be one."""
        if entry["operation"] not in {"Apply", "Update"}:
            raise ValueError(f"operation {entry['operation']!r}")
        manager = Manager(
            entry.get("manager", ""),
            entry["operation"],
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        )
        return cls(manager, from_tree(entry.get("fieldsV1") or {}), entry.get("time", ""))


Managed = dict[Identity, Entry]


def read(document: dict[str, Any]) -> Managed:
    """Return an object's managers; none when its managedFields cannot be read."""
    entries = document.get("metadata", {}).get("managedFields") or []
    try:
        read_entries = [Entry.from_json(entry) for entry in entries]
    except (KeyError, ValueError, AttributeError, TypeError):
        return {}
    return {entry.manager.identity: entry for entry in read_entries}


def is_reset(document: dict[str, Any]) -> bool:
    """Say whether a client asks to forget all managers, with one empty entry."""
    entries: Any = document.get("metadata", {}).get("managedFields")
    return isinstance(entries, list) and entries == [{}]


def written(document: dict[str, Any], managed: Managed) -> dict[str, Any]:
    """Return the object with these managers in its metadata."""
    ordered = sorted(managed.values(), key=_order)
    metadata = {k: v for k, v in document["metadata"].items() if k != "managedFields"}
    if ordered:
        metadata["managedFields"] = [entry.as_json() for entry in ordered]
    return {**document, "metadata": metadata}


def _order(entry: Entry) -> tuple[str, str, str, str, str]:
    manager = entry.manager
    name, version = manager.name, manager.api_version
    return manager.operation, entry.time, name, version, manager.subresource
