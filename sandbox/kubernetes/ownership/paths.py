"""Sets of field paths, and FieldsV1, the form in which `managedFields` keeps them.

A path is a tuple of elements in FieldsV1's own words: `f:NAME` a field, `k:{"name":"x"}` an entry
of a keyed list, `v:"x"` a member of a set. Ordinary set operations then do what the API means.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path = tuple[str, ...]
Paths = frozenset[Path]
Tree = dict[str, "Tree"]

NOTHING: Paths = frozenset()


def field_element(name: str) -> str:
    """Return the element for a field called `name`."""
    return f"f:{name}"


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the element for the entry of a keyed list that these keys name."""
    return "k:" + json.dumps(keys, separators=(",", ":"), sort_keys=True)


def value_element(value: Any) -> str:
    """Return the element for a member of a set."""
    return "v:" + json.dumps(value, separators=(",", ":"))


def as_text(path: Path) -> str:
    """Return a path as conflicts name it: `.spec.ports[port=53,protocol="UDP"].name`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    sort, _, rest = element.partition(":")
    if sort == "f":
        return f".{rest}"
    if sort == "k":
        pairs = json.loads(rest).items()
        return "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in pairs) + "]"
    return f"[={rest}]"


def tree(paths: Iterable[Path]) -> Tree:
    """Return FieldsV1: a level for each element, `.` for a path that is itself a member."""
    root: Tree = {}
    # in order, so that equal sets look equal when printed
    for path in sorted(paths):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_lone_dots(root)


def _without_lone_dots(node: Tree) -> Tree:
    """Write a member that holds no others as `{}`, not as `{".": {}}`."""
    if node.keys() == {"."}:
        return {}
    return {k: _without_lone_dots(v) if k != "." else {} for k, v in node.items()}


def from_tree(fields: Mapping[str, Any], prefix: Path = ()) -> Paths:
    """Return the paths that FieldsV1 holds."""
    if not fields and prefix:
        return frozenset({prefix})
    found: set[Path] = set()
    for element, inner in fields.items():
        if element == ".":
            found.add(prefix)
        else:
            found |= from_tree(inner, (*prefix, element))
    return frozenset(found)
