"""A directive as its plugin reads it: arguments, then a block of lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.coredns.errors import CorefileError


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.tokens import Token


@dataclass(frozen=True)
class Line:
    """The words of one line of a Corefile; at least one."""

    tokens: Sequence[Token]

    @property
    def name(self) -> str:
        """The first word."""
        return self.tokens[0].text

    @property
    def args(self) -> list[str]:
        """The words after the first."""
        return [token.text for token in self.tokens[1:]]

    def error(self, message: str) -> CorefileError:
        """Return the error that CoreDNS gives for this line."""
        token = self.tokens[-1]
        return CorefileError(f"{token.file}:{token.line} - Error during parsing: {message}")

    def argument_error(self) -> CorefileError:
        """Return the error for arguments that are too few, too many or unknown."""
        last = self.tokens[-1].text
        return self.error(f"Wrong argument count or unexpected line ending after '{last}'")

    def unexpected(self) -> CorefileError:
        """Return the error that some plugins give for a property that they do not have."""
        return Line(self.tokens[:1]).argument_error()

    def unknown(self) -> CorefileError:
        """Return the error that the other plugins give for it."""
        return self.error(f"unknown property '{self.name}'")

    def one(self) -> str:
        """Return the only argument; raise CorefileError if there is none, or more."""
        if len(self.args) != 1:
            raise self.argument_error()
        return self.args[0]

    def some(self) -> list[str]:
        """Return the arguments; raise CorefileError if there are none."""
        if not self.args:
            raise self.argument_error()
        return self.args

    def none(self) -> None:
        """Raise CorefileError if there are arguments."""
        if self.args:
            raise self.argument_error()


@dataclass(frozen=True)
class Directive(Line):
    """A directive's own line, up to its brace, and the lines within."""

    block: Sequence[Line] = field(default=())

    def no_block(self) -> None:
        """Raise CorefileError if there is a block."""
        for line in self.block:
            raise line.unknown()


def directives(tokens: Sequence[Token]) -> list[Directive]:
    """Return the directives that a server block has under one name.

    As in Caddy's parser, a block opens on the directive's line, and a closing brace counts only at
    the start of a line: at its end it is an argument like any other.
    """
    found, position = [], 0
    while position < len(tokens):
        line, position = _line(tokens, position)
        block: list[Line] = []
        if position < len(tokens) and tokens[position].text == "{":
            block, position = _block(tokens, position + 1)
        found.append(Directive(line, block))
    return found


def _line(tokens: Sequence[Token], start: int) -> tuple[list[Token], int]:
    end = start + 1
    while end < len(tokens) and tokens[end - 1].continues(tokens[end]) and tokens[end].text != "{":
        end += 1
    return list(tokens[start:end]), end


def _block(tokens: Sequence[Token], position: int) -> tuple[list[Line], int]:
    lines = []
    while position < len(tokens) and tokens[position].text != "}":
        words, position = _line(tokens, position)
        lines.append(Line(words))
    return lines, position + 1
