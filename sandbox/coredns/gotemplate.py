"""The part of Go's text/template that Corefiles use: fields, `index`, `parseInt`, trim marks.

https://pkg.go.dev/text/template. What is beyond that part raises NotEmulatedError when it is read,
so that nothing is ever answered by a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.coredns.errors import CorefileError, NotEmulatedError


ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
WORD = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|[^\s"`]+')
FIELD = re.compile(r"(\.[A-Za-z_]\w*)+")
NUMBER = re.compile(r"[-+]?\d+")
NO_VALUE = "<no value>"
KEYWORDS = frozenset(
    {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"}
)
Data = Mapping[str, Any]
Piece = Callable[[Data], str]


class TemplateError(ValueError):
    """A template that fails while it is executed."""


@dataclass(frozen=True)
class Template:
    """A compiled template."""

    pieces: Sequence[Piece]

    def render(self, data: Data) -> str:
        """Return the text; raise TemplateError where Go's execution would stop."""
        return "".join(piece(data) for piece in self.pieces)


def compiled(source: str) -> Template:
    """Compile a template; raise CorefileError with the reason for a broken one."""
    pieces: list[Piece] = []
    end, trim = 0, False
    for match in ACTION.finditer(source):
        text = source[end : match.start()]
        pieces += _text(text, left=trim, right=bool(match[1]))
        pieces += _action(match[2].strip())
        end, trim = match.end(), bool(match[3])
    rest = source[end:]
    if "{{" in rest:
        raise CorefileError("unclosed action")
    return Template([*pieces, *_text(rest, left=trim, right=False)])


def _text(text: str, *, left: bool, right: bool) -> list[Piece]:
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    return [lambda _: text] if text else []


def _action(source: str) -> list[Piece]:
    if source.startswith("/*") and source.endswith("*/"):
        return []
    words = WORD.findall(source)
    if not words:
        raise CorefileError("missing value for command")
    if words[0] in KEYWORDS or words[0].startswith("$") or "|" in words or "(" in source:
        raise NotEmulatedError(f"the template action {{{{ {source} }}}}")
    evaluate = _command(words)
    return [lambda data: _printed(evaluate(data))]


def _command(words: Sequence[str]) -> Callable[[Data], Any]:
    if words[0] in {"index", "parseInt"}:
        function = _index if words[0] == "index" else _parse_int
        operands = [_operand(word) for word in words[1:]]
        return lambda data: function(*[operand(data) for operand in operands])
    if len(words) > 1:
        raise NotEmulatedError(f"the template function {words[0]}")
    return _operand(words[0])


def _operand(word: str) -> Callable[[Data], Any]:
    if FIELD.fullmatch(word):
        return lambda data: _field(data, word)
    if NUMBER.fullmatch(word):
        return lambda _: int(word)
    if word.startswith('"'):
        return lambda _: json.loads(word)
    if word.startswith("`"):
        return lambda _: word[1:-1]
    if re.fullmatch(r"\w+", word):
        raise CorefileError(f'function "{word}" not defined')
    raise NotEmulatedError(f"the template operand {word}")


def _field(data: Data, path: str) -> Any:
    value: Any = data
    for depth, name in enumerate(path.split(".")[1:]):
        if not isinstance(value, Mapping) or (depth == 0 and name not in value):
            raise TemplateError(f"can't evaluate field {name}")
        value = value.get(name)
    return value


def _index(container: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(container, Mapping):
            container = container.get(str(key), "")
        elif isinstance(key, int) and 0 <= key < len(container):
            container = container[key]
        else:
            raise TemplateError(f"error calling index: index out of range: {key}")
    return container


def _parse_int(text: Any, base: Any, bits: Any) -> int:
    try:
        number = int(text, base)
    except (TypeError, ValueError):
        raise TemplateError(f'parsing "{text}": invalid syntax') from None
    if not 0 <= number < 1 << bits:
        raise TemplateError(f'parsing "{text}": value out of range')
    return number


def _printed(value: Any) -> str:
    return NO_VALUE if value is None else str(value)
