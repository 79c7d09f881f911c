"""The rules of field ownership: what an apply or an update takes, keeps, and takes away.

Followed from Kubernetes' structured-merge-diff and its field manager: a path whose value changes
goes to the writer; an apply that would change another's path is a conflict, unless forced; the
same value is shared; what an applier leaves out of its next apply is removed if nobody else owns
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.ownership.managers import Entry, Managed, Manager
from sandbox.kubernetes.ownership.paths import NOTHING, Path, Paths, as_text, tree
from sandbox.kubernetes.ownership.typed import (
    compare,
    field_paths,
    merge,
    remove,
    with_named_fields,
)


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.fields import Field

FIRST_APPLY = "before-first-apply"
_NEVER_OWNED: Paths = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    }
)


@dataclass(frozen=True)
class Conflict:
    """A path that an apply would change, and who owns it."""

    manager: Manager
    path: Path


class OwnershipConflict(Exception):
    """An apply would change what others own; `conflicts` says what and whose."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(_told(conflicts))
        self.conflicts = conflicts


def update(schema: Field, live: Any, new: Any, managed: Managed, writer: Entry) -> Managed:
    """Return the managers after a write of the whole value: the writer owns what it changed.

    `writer` says who writes, and when; its paths are not looked at.
    """
    comparison = compare(schema, live, new)
    lost = comparison.written | comparison.removed
    after = {identity: entry.without(lost) for identity, entry in managed.items()}
    # a writer keeps what it owned already, even if this write took it from itself
    taken = comparison.written - _NEVER_OWNED
    if taken:
        known = after.get(writer.manager.identity, Entry(writer.manager))
        after[writer.manager.identity] = replace(writer, paths=known.paths | taken)
    return _holding(after)


def apply(
    schema: Field, live: Any, applied: Any, managed: Managed, writer: Entry, *, force: bool
) -> tuple[Any, Managed]:
    """Return the merged value and its managers; raise OwnershipConflict unless forced."""
    said = field_paths(schema, applied)
    own = replace(writer, paths=said - _NEVER_OWNED)
    last = managed.get(own.manager.identity)
    others = {identity: e for identity, e in managed.items() if identity != own.manager.identity}
    # the applier's word counts in full here, or its own metadata would seem abandoned
    claims = said.union(*(entry.paths for entry in others.values()))
    result = merge(schema, live, applied)
    if last:
        result = _without_abandoned(schema, result, last.paths, claims)
    comparison = compare(schema, live, result)
    conflicts = _conflicts(others, comparison.written)
    if conflicts and not force:
        raise OwnershipConflict(conflicts)
    lost = comparison.written | comparison.removed
    after = {identity: entry.without(lost) for identity, entry in others.items()}
    # a time that moved with every repeated apply would make each of them a write
    if last and last.paths == own.paths and not lost:
        own = replace(own, time=last.time)
    return result, _holding({**after, own.manager.identity: own})


def _conflicts(others: Managed, written: Paths) -> list[Conflict]:
    return [
        Conflict(entry.manager, path)
        for _, entry in sorted(others.items())
        for path in sorted(entry.paths & written)
    ]


def _holding(managed: Managed) -> Managed:
    return {identity: entry for identity, entry in managed.items() if entry.paths}


def _without_abandoned(schema: Field, merged: Any, last: Paths, claims: Paths) -> Any:
    """Remove what the applier owned last time, owns no more, and nobody else claims."""
    # Removing an entry removes what is in it, so each step looks again at what is left: first
    # all that was ours goes, then comes back what anyone claims, then what never was ours.
    last = with_named_fields(schema, last)
    everything = with_named_fields(schema, field_paths(schema, merged))
    kept = _paths_left(schema, merged, last) | with_named_fields(schema, claims)
    kept = _paths_left(schema, merged, everything - kept)
    return remove(schema, merged, tree((everything - kept) & last)) or {}


def _paths_left(schema: Field, value: Any, removed: Paths) -> Paths:
    left = remove(schema, value, tree(removed))
    return with_named_fields(schema, field_paths(schema, left)) if left else NOTHING


def _told(conflicts: list[Conflict]) -> str:
    """Say it as the API server does."""
    if len(conflicts) == 1:
        (only,) = conflicts
        return f"Apply failed with 1 conflict: conflict with {only.manager}: {as_text(only.path)}"
    paths: dict[str, list[str]] = {}
    for conflict in conflicts:
        paths.setdefault(str(conflict.manager), []).append(f"- {as_text(conflict.path)}")
    lines = [line for manager in paths for line in (f"conflicts with {manager}:", *paths[manager])]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
