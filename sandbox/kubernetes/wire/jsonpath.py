"""The JSONPath that printer columns use: fields, `[*]`, `[0]`, `[?(@.type=="Ready")]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator


_STEP = re.compile(
    r"""\.(?P<name>[\w-]+) | \['(?P<quoted>[^']+)'\] | \[(?P<index>\d+|\*)\]
    | \[\?\(@\.(?P<key>[\w.]+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
    re.VERBOSE,
)


def find(document: Any, path: str) -> list[Any]:
    """Return the values that a path leads to."""
    found = [document]
    for step in _STEP.finditer(path):
        found = [value for place in found for value in _follow(place, step)]
    return found


def _follow(value: Any, step: re.Match[str]) -> Iterator[Any]:
    name = step["name"] or step["quoted"]
    if name:
        if isinstance(value, dict) and name in value:
            yield value[name]
    elif isinstance(value, list):
        yield from _choose(value, step)


def _choose(entries: list[Any], step: re.Match[str]) -> list[Any]:
    if step["index"] == "*":
        return entries
    if step["index"]:
        at = int(step["index"])
        return entries[at : at + 1]
    path = "." + step["key"]
    return [entry for entry in entries if step["value"] in find(entry, path)]
