"""A place among a Corefile's words, and the errors that name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.coredns.errors import CorefileError


if TYPE_CHECKING:
    from sandbox.coredns.tokens import Token


@dataclass
class Cursor:
    """The words of the file `path`, and which of them is read."""

    path: str
    tokens: list[Token] = field(default_factory=list)
    at: int = -1

    @property
    def text(self) -> str:
        """The word here, or "" behind the last one."""
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def advance(self) -> bool:
        """Go to the next word; say whether there is one."""
        if self.at + 1 >= len(self.tokens):
            return False
        self.at += 1
        return True

    def starts_line(self) -> bool:
        """Say whether the word here begins a line."""
        if self.at < 1 or self.at >= len(self.tokens):
            return self.at < 1
        before, here = self.tokens[self.at - 1], self.tokens[self.at]
        return before.file != here.file or before.last_line < here.line

    def error(self, message: str) -> CorefileError:
        """Return an error at the word here."""
        return CorefileError(f"{self._place()} - Error during parsing: {message}")

    def argument_error(self) -> CorefileError:
        """Return the error for an argument too few."""
        return self.error(f"Wrong argument count or unexpected line ending after '{self.text}'")

    def syntax_error(self, expected: str) -> CorefileError:
        """Return the error for a word that should be another."""
        found = f"Unexpected token '{self.text}', expecting '{expected}'"
        return CorefileError(f"{self._place()} - Syntax error: {found}")

    def _place(self) -> str:
        if not self.tokens:
            return f"{self.path}:0"
        token = self.tokens[min(max(self.at, 0), len(self.tokens) - 1)]
        return f"{token.file}:{token.line}"
