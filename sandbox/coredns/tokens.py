r"""A Corefile's words (https://coredns.io/manual/configuration/, corefile(5)).

Words are parted by white space; `#` starts a comment anywhere outside quotes; a word that starts
with a double quote runs to the next one, over line ends, and `\\"` is a quote in it. There is no
other punctuation: a semicolon is a character like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORD = re.compile(
    r"""(?P<space>\s+) | (?P<comment>\#[^\n]*)
      | "(?P<quoted>(?:\\.|[^"\\])*\\?)(?:"|\Z)
      | (?P<bare>[^\s\#"][^\s\#]*)""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED_QUOTE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """One word, and the file and line where it starts."""

    text: str
    file: str
    line: int

    @property
    def last_line(self) -> int:
        """The line where the word ends."""
        return self.line + self.text.count("\n")

    def continues(self, other: Token) -> bool:
        """Say whether `other` stands on the line where this word ends."""
        return other.file == self.file and other.line == self.last_line

    def expanded(self, environment: Mapping[str, str]) -> Token:
        """Return the word with `{$NAME}` and `{%NAME%}` replaced."""
        return replace(self, text=expand(self.text, environment))


def tokenize(text: str, file: str) -> Iterator[Token]:
    """Yield the words of a file."""
    line = 1
    for match in WORD.finditer(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if match["bare"] is not None:
            yield Token(match["bare"], file, line)
        elif match["quoted"] is not None:
            yield Token(ESCAPED_QUOTE.sub(_unescaped, match["quoted"]), file, line)
        line += match[0].count("\n")


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace references to the environment; what is not set becomes nothing."""
    text = re.sub(r"\{%(.+?)%\}", lambda match: environment.get(match[1], ""), text)
    return re.sub(r"\{\$([^}]+)\}", lambda match: environment.get(match[1], ""), text)


def _unescaped(match: re.Match[str]) -> str:
    return '"' if match[1] == '"' else match[0]
