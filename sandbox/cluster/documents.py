"""YAML and JSON files as Kubernetes reads them, one document at a time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml


if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Scalars as Go's YAML reads them: dates stay text, `22:22` is not sixty-based."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rpartition(":")[2] not in {"timestamp", "int", "float", "value"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
        r"|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


@dataclass(frozen=True)
class Broken:
    """A document that could not be read: the line it breaks at (from 1) and why."""

    line: int
    reason: str


def documents(text: str, *, is_json: bool = False) -> Iterator[Any | Broken]:
    """Yield each document of a file; a broken one is told and the rest goes on."""
    if is_json:
        yield _json(text)
        return
    for line, part in _parts(text):
        yield _yaml(part, line)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number of lines before it, text) of each `---` document."""
    cuts = [match.start() for match in SEPARATOR.finditer(text)]
    line = 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _yaml(part: str, lines_before: int) -> Any | Broken:
    try:
        return _with_text_keys(yaml.load(part, Loader=_Loader), {})  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        return Broken(lines_before + line + 1, str(error.problem or error.context))
    except (yaml.YAMLError, ValueError) as error:
        return Broken(lines_before + 1, " ".join(str(error).split()))
    except RecursionError:
        return Broken(lines_before + 1, "it is nested too deeply, or an alias stands for itself")


def _json(text: str) -> Any | Broken:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return Broken(error.lineno, error.msg)


def _with_text_keys(value: Any, made: dict[int, Any]) -> Any:
    """Return the document with JSON's kind of keys, as Kubernetes converts YAML.

    `made` are its parts by identity: an alias stays one part, however often it stands there.
    """
    if not isinstance(value, dict | list):
        return value
    if id(value) not in made:
        made[id(value)] = (
            {_key(key): _with_text_keys(item, made) for key, item in value.items()}
            if isinstance(value, dict)
            else [_with_text_keys(item, made) for item in value]
        )
    return made[id(value)]


def _key(key: Any) -> str:
    return json.dumps(key) if isinstance(key, bool | int | float) else str(key)
