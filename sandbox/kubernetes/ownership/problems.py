"""What structured-merge-diff refuses in an apply configuration, in its words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ABSENT, ANY
from sandbox.kubernetes.ownership.paths import as_text
from sandbox.kubernetes.ownership.typed import element_of, is_leaf, members


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.decode import Decoded, Mistyped
    from sandbox.kubernetes.kinds.fields import Field
    from sandbox.kubernetes.ownership.paths import Path


def problems(schema: Field, document: Any, decoded: Decoded) -> list[str]:
    """Return a sentence for each field that is not declared, mistyped, or badly listed."""
    found = [
        f"{_keyed(schema, document, path)}: field not declared in schema"
        for path in decoded.unknown
    ]
    found += [f"{_keyed(schema, document, m.path)}: {_expected(m)}" for m in decoded.mistyped]
    return found if decoded.mistyped else found + _badly_listed(schema, decoded.value)


def _keyed(schema: Field, document: Any, path: str) -> str:
    """Return a path whose list entries are named by their keys, where they have any."""
    told = ""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if name:
            told, schema = f"{told}.{name}", schema.child(name) or ANY
            document = document.get(name) if isinstance(document, dict) else None
            continue
        document = document[int(index)]
        keyed = schema.list_type == "map" and isinstance(document, dict)
        told += as_text((element_of(schema, document),)) if keyed else f"[{index}]"
        schema = schema.entry
    return told


def _expected(mistyped: Mistyped) -> str:
    value, wanted = mistyped.value, mistyped.wanted.type
    if wanted == "string":
        return f"expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"
    if wanted in {"integer", "number"}:
        return f"expected numeric (int or float), got {_GO_NAMES.get(type(value), 'string')}"
    known = {"object": "map", "int-or-string": "untyped"}.get(wanted, wanted)
    return f"expected {known}, got &{{{_go(value)}}}"


_GO_NAMES = {
    bool: "bool",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}


def _go(value: Any) -> str:
    """Show a value as Go's %v does."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{_go(v)}" for k, v in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go(entry) for entry in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _badly_listed(schema: Field, value: Any, path: Path = ()) -> list[str]:
    """Return a sentence for each entry of a keyed list or set without its key, or listed twice."""
    if is_leaf(schema, value):
        return []
    found = _in_list(schema, value, path) if isinstance(value, list) else []
    if found:
        return found
    return [
        problem
        for element, inner, member in members(schema, value)
        for problem in _badly_listed(inner, member, (*path, element))
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
