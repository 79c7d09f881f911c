"""Paths of a repository by patterns as in .gitignore: `apps/**`, `*.yaml`, `/infra/`, `!docs/`.

A pattern with a slash at its beginning or inside is meant from the repository's root, another one
at any depth; `**` stands for any number of folders, `*` and `?` never for a slash. Who matches a
folder matches all that is in it. Of several patterns the last that matches decides, and `!` takes
out again; a list that begins with `!` takes out of everything.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOKEN = re.compile(r"\\.|\*+|\?|\[[!^]?\]?[^]]*\]|.", re.DOTALL)
ANY_DEPTH = None


class Pattern(NamedTuple):
    """One expression for each name on the way, or ANY_DEPTH; and whether only folders match."""

    parts: tuple[re.Pattern[str] | None, ...]
    folders_only: bool

    def matches(self, path: str) -> bool:
        """Return whether the path, or a folder that it is in, matches.

        All ways to match are followed at once, name by name: no path takes long to be measured.
        """
        names = path.split("/")
        reached = self._skipping({0})
        for used, name in enumerate(names, start=1):
            reached = self._skipping(self._step(reached, name))
            if len(self.parts) in reached:
                return used < len(names) or not self.folders_only
            if not reached:
                break
        return False

    def _step(self, reached: set[int], name: str) -> set[int]:
        after = set()
        for place in reached:
            part = self.parts[place]
            if part is ANY_DEPTH:
                after.add(place)
            elif part.fullmatch(name):
                after.add(place + 1)
        return after

    def _skipping(self, reached: set[int]) -> set[int]:
        for place, part in enumerate(self.parts):
            if place in reached and part is ANY_DEPTH:
                reached.add(place + 1)
        return reached


def selects(patterns: Sequence[str], path: str) -> bool:
    """Return whether a path is among what the patterns select; no pattern selects everything."""
    selected = not patterns or patterns[0].startswith("!")
    for pattern in patterns:
        if compiled(pattern.removeprefix("!")).matches(path):
            selected = not pattern.startswith("!")
    return selected


def touches(patterns: Sequence[str], paths: Iterable[str]) -> bool:
    """Return whether one of the paths is selected."""
    return any(selects(patterns, path) for path in paths)


@cache
def compiled(pattern: str) -> Pattern:
    """Read a pattern, without its `!`; raise re.error if it is none."""
    from_root = "/" in pattern.rstrip("/")
    *folders, last = pattern.strip("/").split("/")
    parts = [ANY_DEPTH if name == "**" else _expression(name) for name in folders]
    before = [] if from_root else [ANY_DEPTH]
    return Pattern((*before, *parts, _expression(last)), pattern.endswith("/"))


def _expression(name: str) -> re.Pattern[str]:
    """Return a name with its wildcards; what follows an asterisk is looked for once, from left."""
    chunks = [""]
    for token in TOKEN.findall(name):
        if token.startswith("*"):
            chunks.append("")
        else:
            chunks[-1] += _literal(token)
    first, *rest = chunks
    if rest:
        *middle, last = rest
        first += "".join(f"(?>.*?{chunk})" for chunk in middle) + ".*" + last
    return re.compile(first, re.DOTALL)


def _literal(token: str) -> str:
    if token == "?":  # noqa: S105 - a wildcard
        return "."
    if inner := token[1:-1]:
        inner = re.sub(r"([\\\[&~|])", r"\\\1", inner)
        return f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
    return re.escape(token.removeprefix("\\") or token)
