"""What server-side apply does to values: compare, merge and remove, as their fields say.

The rules are those of Kubernetes' structured-merge-diff: a keyed list is merged entry by entry, a
set member by member, an object field by field; what is atomic, and every scalar, is one leaf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ABSENT, ANY, Field
from sandbox.kubernetes.ownership.paths import (
    Path,
    Paths,
    field_element,
    key_element,
    value_element,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.kubernetes.ownership.paths import Tree

_MISSING = object()


@dataclass
class Comparison:
    """The paths that a new value added, modified and removed."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def written(self) -> Paths:
        """Return the paths that have a new value."""
        return frozenset(self.added | self.modified)


def element_of(schema: Field, entry: Any) -> str:
    """Return the path element of an entry of a keyed list or a set."""
    if schema.list_type == "set":
        return value_element(entry)
    known = entry if isinstance(entry, dict) else {}
    return key_element({key: known.get(key, _key_default(schema, key)) for key in schema.keys})


def _key_default(schema: Field, key: str) -> Any:
    default = schema.entry.children.get(key, ANY).default
    return None if default is ABSENT else default


def is_leaf(schema: Field, value: Any) -> bool:
    """Say whether the value is owned as one: a scalar, or an atomic list, map or object."""
    if isinstance(value, dict):
        return schema.atomic
    return not isinstance(value, list) or schema.list_type == "atomic"


def members(schema: Field, value: Any) -> Iterator[tuple[str, Field, Any]]:
    """Yield (path element, its field, its value) of each member of an object, map or list."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield field_element(name), schema.child(name) or ANY, member
    elif isinstance(value, list):
        for entry in value:
            yield element_of(schema, entry), schema.entry, entry


def field_paths(schema: Field, value: Any) -> Paths:
    """Return the paths that an applier of this value owns."""
    return frozenset(_field_paths(schema, value, ()))


def _field_paths(schema: Field, value: Any, prefix: Path) -> Iterator[Path]:
    if is_leaf(schema, value):
        yield prefix
        return
    for element, inner, member in members(schema, value):
        path = (*prefix, element)
        yield from _field_paths(inner, member, path)
        if _is_owned_itself(schema, element, member):
            yield path


def _is_owned_itself(schema: Field, element: str, member: Any) -> bool:
    """Say so of an entry of a list or map, and of an empty object."""
    named = element.startswith("f:") and element[2:] in schema.children
    return not named or member in ({}, None)


def compare(schema: Field, old: Any, new: Any) -> Comparison:
    """Return what changed from `old` to `new`."""
    found = Comparison()
    _compare(schema, old, new, (), found)
    return found


def _compare(schema: Field, old: Any, new: Any, path: Path, found: Comparison) -> None:
    present = old if new is _MISSING else new
    # an empty object and none at all differ, though neither has members to tell it
    both_empty = not _held(old) and not _held(new)
    if is_leaf(schema, present) or both_empty or _differ_in_kind(old, new):
        _compare_leaf(old, new, path, found)
        return
    olds = {element: (inner, value) for element, inner, value in members(schema, _held(old))}
    news = {element: (inner, value) for element, inner, value in members(schema, _held(new))}
    for element in olds.keys() | news.keys():
        inner = (olds.get(element) or news[element])[0]
        before, after = (side.get(element, (ANY, _MISSING))[1] for side in (olds, news))
        _compare(inner, before, after, (*path, element), found)
    if old is _MISSING:
        found.added.add(path)
    elif new is _MISSING:
        found.removed.add(path)


def _compare_leaf(old: Any, new: Any, path: Path, found: Comparison) -> None:
    if old is _MISSING:
        found.added.add(path)
    elif new is _MISSING:
        found.removed.add(path)
    # to Python, 1 == True == 1.0
    elif old != new or type(old) is not type(new):
        found.modified.add(path)


def _held(value: Any) -> Any:
    return () if value is _MISSING or value is None else value


def _differ_in_kind(old: Any, new: Any) -> bool:
    if old is _MISSING or new is _MISSING:
        return False
    return isinstance(old, dict) != isinstance(new, dict) or isinstance(old, list) != isinstance(
        new, list
    )


def merge(schema: Field, live: Any, applied: Any) -> Any:
    """Return the live value with what was applied laid over it."""
    if is_leaf(schema, applied) or _differ_in_kind(live, applied) or not _held(live):
        return applied
    if isinstance(applied, dict):
        inner = {
            k: merge(schema.child(k) or ANY, live[k], v) for k, v in applied.items() if k in live
        }
        return {**live, **applied, **inner}
    return _merge_entries(schema, live, applied)


def _merge_entries(schema: Field, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge by key; applied entries keep their order, live-only ones their place among them."""
    lives = {element_of(schema, entry): entry for entry in live}
    news = {element_of(schema, entry): entry for entry in applied}
    waiting = list(lives)
    merged = []
    for element, entry in news.items():
        while waiting and waiting[0] not in news:
            merged.append(lives[waiting.pop(0)])
        known = lives.get(element, _MISSING)
        merged.append(entry if known is _MISSING else merge(schema.entry, known, entry))
        if element in waiting:
            waiting.remove(element)
    return merged + [lives[element] for element in waiting if element not in news]


def remove(schema: Field, value: Any, fields: Tree) -> Any:
    """Return the value without what `fields` (FieldsV1) names; None when nothing is left."""
    if is_leaf(schema, value) or not value:
        return value
    kept = [
        (element, remove(inner, member, fields[element]) if element in fields else member)
        for element, inner, member in members(schema, value)
        if not _names_itself(fields.get(element))
    ]
    if isinstance(value, list):
        return [member for _, member in kept if member is not None] or None
    return {element[2:]: member for element, member in kept if member is not None} or None


def _names_itself(fields: Tree | None) -> bool:
    return fields is not None and (not fields or "." in fields)


def with_named_fields(schema: Field, paths: Iterable[Path]) -> Paths:
    """Return the paths and the objects' own fields on the way to them."""
    found = set(paths)
    for path in paths:
        inner = schema
        for depth, element in enumerate(path[:-1], start=1):
            if element.startswith("f:"):
                if element[2:] in inner.children:
                    found.add(path[:depth])
                inner = inner.child(element[2:]) or ANY
            else:
                inner = inner.entry
    return frozenset(found)
