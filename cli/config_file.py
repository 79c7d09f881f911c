"""tailkeeper.yaml: read with a line number in every error, and written back.

What the file may say is `tailkeeper.config`'s business; this module knows YAML and lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tailkeeper.config import Config, ConfigError, spelled


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Steps = tuple["str | int", ...]


class ConfigFileError(ValueError):
    """The file cannot be used; the message has one line per problem: `file:line: what: remedy`."""


def read_config(path: Path) -> Config:
    """Read a configuration file; raise ConfigFileError with everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigFileError(
            f"{path}: {error.strerror}: write one, or leave --config out"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"{path}: byte {error.start} is not UTF-8: save it as such") from None
    return parse_config(text, str(path))


def parse_config(text: str, name: str = "tailkeeper.yaml") -> Config:
    """Read a configuration from YAML; `name` is the file's name for the errors."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text) if root else {}
    except yaml.MarkedYAMLError as error:
        raise ConfigFileError(_syntax(error, name)) from None
    except yaml.YAMLError as error:
        raise ConfigFileError(f"{name}: {error}: save it as plain text") from None
    lines, doubles = _lines(root)
    try:
        config = Config.from_json(document)
    except ConfigError as error:
        found = [(_line(p.path, lines), str(p)) for p in error.problems]
        raise ConfigFileError(_report(found + doubles, name)) from None
    if doubles:
        raise ConfigFileError(_report(doubles, name))
    return config


def parse_yaml(text: str) -> Any:
    """Return one YAML document, such as Helm values; raise ConfigFileError on anything else."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigFileError(" ".join(str(error).split())) from None


def to_yaml(config: Config) -> str:
    """Return the configuration as a file that reads back equal, without its empty lists."""
    document = {key: value for key, value in config.as_json().items() if value != []}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _syntax(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    return f"{name}:{line}: {error.problem or error.context}: this line is not YAML"


def _report(found: list[tuple[int, str]], name: str) -> str:
    return "\n".join(f"{name}:{line}: {what}" for line, what in sorted(found))


def _line(path: Steps, lines: dict[Steps, int]) -> int:
    """Return the line of a path, or of the nearest thing around it that is in the file."""
    return next(
        (lines[path[:size]] for size in range(len(path), -1, -1) if path[:size] in lines), 1
    )


def _lines(root: yaml.Node | None) -> tuple[dict[Steps, int], list[tuple[int, str]]]:
    """Return the line of every path in the file, and the keys that one mapping has twice."""
    lines: dict[Steps, int] = {}
    doubles: list[tuple[int, str]] = []
    for path, line in _walk(root, (), ()):
        if path in lines:
            what = f"{spelled(path)} stands here again, after line {lines[path]}: keep one"
            doubles.append((line, what))
        lines.setdefault(path, line)
    return lines, doubles


def _walk(node: Any, path: Steps, around: tuple[int, ...]) -> Iterator[tuple[Steps, int]]:
    # An alias may name a node that holds it, which would never end.
    if id(node) in around:
        return
    around = (*around, id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _walk(value, below, around)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield (*path, place), value.start_mark.line + 1
            yield from _walk(value, (*path, place), around)
