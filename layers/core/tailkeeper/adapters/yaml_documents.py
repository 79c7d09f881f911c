"""YAML and JSON texts as Kubernetes reads them, one document at a time, from people we do not know.

A broken document is told by its line, and the others are read. PyYAML's C parser dies of deep
nesting, and a few lines of aliases may stand for gigabytes: both are refused before they are built.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml


if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 200
MOST_NODES = 200_000  # of one document, each alias counted as what it stands for
SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
DEEP = re.compile(r"^[ \t?:-]{100}", re.MULTILINE)


class Document(NamedTuple):
    """A document, the line it begins at (from 1) and its value."""

    line: int
    value: Any


class Broken(NamedTuple):
    """What cannot be read: the line where it breaks, and why; nothing of the text is quoted."""

    line: int
    why: str


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Dates stay text, and 22:22 is no number of base sixty: Kubernetes knows neither."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0[0-7_]*|[1-9][\d_]*)$"))
        if tag.endswith(":int")
        else (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith((":timestamp", ":value"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(text: str, *, is_json: bool = False) -> Iterator[Document | Broken]:
    """Yield what a file holds; empty documents are passed over."""
    for line, part in [(1, text)] if is_json else _parts(text):
        if _says_something(part.removeprefix("---")):
            yield _json(part) if is_json else _yaml(part, line)


def _says_something(part: str) -> bool:
    lines = (line.strip() for line in part.splitlines())
    return any(line and not line.startswith(("#", "%")) for line in lines)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    cuts = [match.start() for match in SEPARATOR.finditer(text)]
    line = 1
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _yaml(part: str, line: int) -> Document | Broken:
    try:
        _check_depth(part)
        value = yaml.load(part, Loader=_Loader)  # noqa: S506 - a safe loader
        _check_size(value)
        return Document(line + part.startswith("---\n"), _with_text_keys(value))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Broken(line + (mark.line if mark else 0), str(error.problem or error.context))
    except (yaml.YAMLError, ValueError) as error:
        return Broken(line, getattr(error, "reason", None) or str(error))
    except RecursionError:
        return Broken(line, "it is nested too deeply")


def _json(text: str) -> Document | Broken:
    try:
        return Document(1, json.loads(text))
    except json.JSONDecodeError as error:
        return Broken(error.lineno, error.msg)
    except RecursionError:
        return Broken(1, "it is nested too deeply")


def _check_depth(part: str) -> None:
    if part.count("[") + part.count("{") < DEEPEST and not DEEP.search(part):
        return
    depth = 0
    for event in yaml.parse(part, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")


def _check_size(value: Any) -> None:
    known: dict[int, int] = {}

    def size(node: Any) -> int:
        if not isinstance(node, dict | list):
            return 1
        if (found := known.get(id(node))) is not None:
            return found
        known[id(node)] = MOST_NODES  # a node that holds itself has no end
        total = 1 + sum(map(size, node.values() if isinstance(node, dict) else node))
        known[id(node)] = total
        return total

    if size(value) >= MOST_NODES:
        raise ValueError("its aliases stand for too much")


def _with_text_keys(value: Any) -> Any:
    """Return a document with text for keys, as JSON has them."""
    if isinstance(value, dict):
        return {_key(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in value]
    if isinstance(value, bytes | set):
        raise ValueError("it holds a value that JSON does not know")  # noqa: TRY004 - broken text
    return value


def _key(key: Any) -> str:
    return json.dumps(key) if isinstance(key, bool | int | float) else str(key)
