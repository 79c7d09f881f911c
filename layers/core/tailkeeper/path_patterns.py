"""Paths of a repository by patterns as in .gitignore: `apps/**`, `*.yaml`, `/infra/`, `!docs/`.

A pattern with a slash at its beginning or inside is meant from the repository's root, another one
at any depth; `**` stands for any number of folders, `*` and `?` never for a slash. Who matches a
folder matches all that is in it. Of several patterns the last that matches decides, and `!` takes
out again; a list that begins with `!` takes out of everything.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOKEN = re.compile(r"\\.|\*+|\?|\[[!^]?\]?[^]]*\]|.", re.DOTALL)


def selects(patterns: Sequence[str], path: str) -> bool:
    """Return whether a path is among what the patterns select; no pattern selects everything."""
    selected = not patterns or patterns[0].startswith("!")
    for pattern in patterns:
        if compiled(pattern.removeprefix("!")).fullmatch(path):
            selected = not pattern.startswith("!")
    return selected


def touches(patterns: Sequence[str], paths: Iterable[str]) -> bool:
    """Return whether one of the paths is selected."""
    return any(selects(patterns, path) for path in paths)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, without its `!`, as an expression; raise re.error if it is none."""
    from_root = "/" in pattern.rstrip("/")
    *folders, last = pattern.strip("/").split("/")
    text = "" if from_root else "(?:.*/)?"
    for folder in folders:
        text += "(?:.*/)?" if folder == "**" else _segment(folder) + "/"
    text += ".*" if last == "**" else _segment(last)
    below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    return re.compile(text + below, re.DOTALL)


def _segment(text: str) -> str:
    return TOKEN.sub(_expression, text)


def _expression(match: re.Match[str]) -> str:
    part = match[0]
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if inner := part[1:-1]:
        inner = re.sub(r"([\\\[&~|])", r"\\\1", inner)
        return f"(?!/)[^{inner[1:]}]" if inner[0] in "!^" else f"(?!/)[{inner}]"
    return re.escape(part.removeprefix("\\") or part)
