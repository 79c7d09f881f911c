"""What a keyed list may not hold when it is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ABSENT, ANY
from sandbox.kubernetes.ownership.paths import as_text
from sandbox.kubernetes.ownership.typed import element_of, is_leaf, members


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.fields import Field
    from sandbox.kubernetes.ownership.paths import Path


def listed_twice_or_nameless(schema: Field, value: Any, path: Path = ()) -> list[str]:
    """Return a sentence for each entry of a keyed list or set without its key, or listed twice."""
    if is_leaf(schema, value):
        return []
    found = _in_list(schema, value, path) if isinstance(value, list) else []
    if found:
        return found
    return [
        problem
        for element, inner, member in members(schema, value)
        for problem in listed_twice_or_nameless(inner, member, (*path, element))
    ]


def _in_list(schema: Field, entries: list[Any], path: Path) -> list[str]:
    found, seen = [], set()
    for index, entry in enumerate(entries):
        missing = _missing_key(schema, entry)
        element = element_of(schema, entry)
        if missing:
            found.append(
                f"{as_text(path)}: element {index}: associative list with keys has an element "
                f'that omits key field "{missing}" (and doesn\'t have default value)'
            )
        elif element in seen:
            found.append(f"{as_text(path)}: duplicate entries for key {as_text((element,))}")
        seen.add(element)
    return found


def _missing_key(schema: Field, entry: Any) -> str:
    """Return the first key that the entry lacks and that has no default, or ""."""
    children = schema.entry.children
    for key in schema.keys:
        if key not in entry and children.get(key, ANY).default is ABSENT:
            return key
    return ""
