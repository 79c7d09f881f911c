"""Reading a document into typed values, gathering every problem instead of stopping at the first.

A `Section` is one mapping of the document. It hands out fields by type, notes what is wrong with
them, and refuses the keys nobody asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tailkeeper.config.problems import Path, Problem, UnfitError
from tailkeeper.durations import parse_duration


if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[str], str]

SECRET_PREFIXES = ("tskey-", "hvs.", "cfut_")


class Section:
    """One mapping of the document, at `path`; problems are appended to the shared list."""

    def __init__(self, document: Any, path: Path, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self._asked: set[str] = set()
        self._fields: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
        if self._fields is not document:
            self.blame((), f"is {_kind(document)}, not a mapping", "write it as key: value lines")
            # What is missing in something that is no mapping is not worth a word.
            self.problems = []

    def blame(self, below: Path, what: str, remedy: str) -> None:
        """Note a problem at a path below this section."""
        self.problems.append(Problem(self.path + below, what, remedy))

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the mapping's keys."""
        return tuple(self._fields)

    def holds(self, key: str) -> bool:
        """Return whether the key is there with a value."""
        return self._fields.get(key) is not None

    def text(
        self,
        key: str,
        default: str | None = None,
        *,
        like: str = "",
        check: Check | None = None,
    ) -> str:
        """Return a text; without a default it must be there and not empty.

        `like` is an example for the error; `check` returns the text in canonical form or
        raises UnfitError.
        """
        value = self._typed(key, str, default, like)
        if default is None and value is not None and not value.strip():
            self.blame((key,), "is empty", f"write {key}: {like}")
            return ""
        return self._checked((key,), value, check) if value else (default or "")

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the options."""
        value = self._typed(key, str, default, options[0])
        if value is None or value in options:
            return value or options[0]
        self.blame((key,), f"is {value!r}", _either(value, options))
        return options[0]

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return bool(self._typed(key, bool, default, "true"))

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return int(self._number(key, (int,), default, least, most))

    def share(self, key: str, default: float) -> float:
        """Return a share of the whole, from 0 to 1."""
        return self._number(key, (int, float), default, 0, 1)

    def duration(self, key: str, default: int | None, *, like: str) -> int:
        """Return whole seconds, written as `90s`, `25h` or `30d`."""
        if default is not None and not self.holds(key):
            self._asked.add(key)
            return default
        text = self.text(key, like=like)
        try:
            return parse_duration(text) if text else 0
        except ValueError as error:
            self.blame((key,), f"is {text!r}", f"write it as {like} ({error})")
            return 0

    def texts(
        self, key: str, *, like: str, needed: bool = False, check: Check | None = None
    ) -> tuple[str, ...]:
        """Return a list of texts; an empty one unless `needed`."""
        found = []
        for place, value in enumerate(self._list(key, needed=needed, like=like)):
            if isinstance(value, str) and value:
                found.append(self._checked((key, place), value, check))
            else:
                kind = "empty" if value == "" else _kind(value)
                self.blame((key, place), f"is {kind}, not text", f"write it as {like}")
        return tuple(found)

    def values(self, key: str) -> list[Any]:
        """Return a list of whatever it holds."""
        return self._list(key, needed=False, like="{...}")

    def sections(self, key: str) -> list[Section]:
        """Return a list of mappings, each as a section of its own."""
        return [
            Section(value, (*self.path, key, place), self.problems)
            for place, value in enumerate(self.values(key))
        ]

    def section(self, key: str) -> Section:
        """Return a mapping as a section; an empty one where the key is absent."""
        self._asked.add(key)
        value = self._fields.get(key)
        return Section({} if value is None else value, (*self.path, key), self.problems)

    def only_pair(self, checks: Mapping[str, Check]) -> tuple[str, str]:
        """Return the single key, one of those with a check, and its text: `{vault: kv/a}`."""
        keys = [key for key in checks if key in self._fields]
        if len(keys) == 1:
            return keys[0], self.text(keys[0], like="namespace/name", check=checks[keys[0]])
        self.blame((), "names no single place", f"use one of {', '.join(checks)}")
        self._asked.update(self._fields)
        return next(iter(checks)), ""

    def finish(self) -> None:
        """Refuse every key that nobody asked for, with the nearest one that exists."""
        for key in self._fields:
            if key not in self._asked:
                known = tuple(sorted(self._asked))
                self.blame((str(key),), "is unknown", _either(str(key), known))

    def _typed(self, key: str, kind: type, default: Any, like: str) -> Any:
        self._asked.add(key)
        value = self._fields.get(key)
        if value is None:
            if default is None:
                self.blame((key,), "is missing", f"add {key}: {like}")
            return default
        # Not isinstance: true is an int to Python, and no number to a person.
        if type(value) is not kind:
            self.blame((key,), f"is {_kind(value)}, not {_NAMES[kind]}", f"write {key}: {like}")
            return default
        return value

    def _number(
        self, key: str, kinds: tuple[type, ...], default: float, least: float, most: float
    ) -> float:
        self._asked.add(key)
        value = self._fields.get(key)
        if value is None:
            return default
        if type(value) not in kinds:
            name = _NAMES[kinds[-1]]
            remedy = f"write {name} from {least} to {most}"
            self.blame((key,), f"is {_kind(value)}, not {name}", remedy)
            return default
        if not least <= value <= most:
            self.blame((key,), f"is {value}", f"use a number from {least} to {most}")
        return float(value)

    def _list(self, key: str, *, needed: bool, like: str) -> list[Any]:
        self._asked.add(key)
        value = self._fields.get(key)
        if isinstance(value, list | tuple):
            if needed and not value:
                self.blame((key,), "is empty", f"list {like}")
            return list(value)
        if value is not None:
            self.blame((key,), f"is {_kind(value)}, not a list", f"write it as [{like}]")
        elif needed:
            self.blame((key,), "is missing", f"add {key}: [{like}]")
        return []

    def _checked(self, below: Path, value: str, check: Check | None) -> str:
        if value.startswith(SECRET_PREFIXES):
            self.blame(below, "holds a secret", "store it in Secrets Manager, never in this file")
            return ""
        try:
            return check(value) if check else value
        except UnfitError as error:
            self.blame(below, error.what, error.remedy)
            return value


_NAMES: dict[type, str] = {
    bool: "true or false",
    dict: "a mapping",
    float: "a number",
    int: "a whole number",
    list: "a list",
    str: "text",
}


def _kind(value: Any) -> str:
    return "empty" if value is None else _NAMES.get(type(value), type(value).__name__)


def _either(value: str, options: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(value, options, n=1)
    return f"did you mean {close[0]}?" if close else f"use {', '.join(options)}"
