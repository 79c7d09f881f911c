"""A Corefile's server blocks: keys, directives, snippets, imports (corefile(5), coredns-import(7)).

Nothing is known here of what a directive means; its words are only gathered.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.coredns.cursor import Cursor
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.files import Files, joined
from sandbox.coredns.tokens import Token, expand, tokenize


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


DEEPEST = 1000  # imports that one Corefile may expand


@dataclass
class ServerBlock:
    """The keys before a brace, and the words of each directive within, by the directive's name."""

    keys: list[str] = field(default_factory=list)
    directives: dict[str, list[Token]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Parser(Cursor):
    """Reads one Corefile; `known` holds the directives that exist, None for any."""

    files: Files
    environment: Mapping[str, str] = field(default_factory=dict)
    known: Collection[str] | None = None
    snippets: dict[str, list[Token]] = field(default_factory=dict)
    imports: int = 0

    def parse(self) -> list[ServerBlock]:
        """Return the server blocks in order; raise CorefileError naming file and line."""
        text = self.files.text(self.path)
        if text is None:
            raise CorefileError(f"loading Corefile: open {self.path}: no such file or directory")
        self.tokens = list(tokenize(text, self.path))
        blocks = []
        while self.advance():
            block = self._block()
            if block and block.keys:
                blocks.append(block)
        return blocks

    def _block(self) -> ServerBlock | None:
        block = ServerBlock()
        if not self._addresses(block):
            return block
        name = _snippet_name(block.keys)
        if name is not None:
            self._define(name)
            return None
        self._contents(block)
        return block

    def _addresses(self, block: ServerBlock) -> bool:
        """Read the keys; say whether anything follows them."""
        while True:
            word = expand(self.text, self.environment)
            if word == "import" and self.starts_line():
                self._import()
                continue
            more = word.endswith(",")
            if word == "{":
                return True
            if word:
                block.keys.append(word.removesuffix(","))
            if not self.advance():
                if more:
                    raise self.error("Unexpected EOF")
                return False
            if more and self.text == "{":
                raise self.error("Expected another address but had '{' - check for extra comma")
            if not more and self.starts_line():
                return True

    def _contents(self, block: ServerBlock) -> None:
        opened = self.text == "{"
        if not opened:
            self.at -= 1  # one server needs no braces
        self._directives(block)
        if opened and self.text != "}":
            raise self.syntax_error("}")

    def _directives(self, block: ServerBlock) -> None:
        while self.advance():
            if self.text == "}":
                return
            if self.text == "import":
                self._import()
                self.at -= 1
            else:
                self._directive(block)

    def _directive(self, block: ServerBlock) -> None:
        name = expand(self.text, self.environment)
        if self.known is not None and name not in self.known:
            raise self.error(f"Unknown directive '{name}'")
        words = block.directives.setdefault(name, [])
        words.append(self.tokens[self.at])
        depth = 0
        while self.advance():
            starts_line = self.starts_line()
            if starts_line and depth == 0 and self.text != "{":
                self.at -= 1
                return
            if starts_line and self.text == "import":
                self._import()
                self.at -= 1
                continue
            depth += self._depth_change(depth)
            words.append(self.tokens[self.at].expanded(self.environment))
        if depth > 0:
            raise self.error("Unexpected EOF")

    def _depth_change(self, depth: int) -> int:
        if self.text == "}" and depth == 0:
            raise self.error("Unexpected '}' because no matching opening brace")
        return {"{": 1, "}": -1}.get(self.text, 0)

    def _define(self, name: str) -> None:
        if name in self.snippets:
            raise self.error(f"redeclaration of previously declared snippet {name}")
        if self.text != "{":
            raise self.syntax_error("{")
        body: list[Token] = []
        depth = 1
        while self.advance():
            depth += {"{": 1, "}": -1}.get(self.text, 0)
            if depth == 0:
                self.snippets[name] = body
                return
            body.append(self.tokens[self.at])
        raise self.syntax_error("}")

    def _import(self) -> None:
        """Put what is imported in the place of the line; its first word is read next."""
        start = self.at
        if not self.advance() or self.starts_line():
            self.at = start
            raise self.argument_error()
        pattern = expand(self.text, self.environment)
        if not pattern:
            raise self.error("Import requires a non-empty filepath")
        here = self.tokens[self.at]
        if self.at + 1 < len(self.tokens) and here.continues(self.tokens[self.at + 1]):
            raise self.error("Import takes only one argument (glob pattern or file)")
        self.imports += 1
        if self.imports > DEEPEST:
            raise self.error(f"maximum file import depth ({DEEPEST}) exceeded")
        imported = self.snippets.get(pattern)
        if imported is None:
            imported = self._imported(pattern)
        self.tokens[start : start + 2] = imported
        self.at = start

    def _imported(self, pattern: str) -> list[Token]:
        folder = posixpath.dirname(self.tokens[self.at].file)
        path = joined(folder, pattern)
        if path.count("*") > 1 or path.count("?") > 1 or ("[" in path and "]" in path):
            raise self.error(
                f"Glob pattern may only contain one wildcard (*), but has others: {path}"
            )
        found = self.files.glob(path)
        if not found and not any(mark in path for mark in "*?[]"):
            raise self.error(f"File to import not found: {pattern}")
        return [token for name in found for token in tokenize(self.files.text(name) or "", name)]


def _snippet_name(keys: list[str]) -> str | None:
    if len(keys) == 1 and keys[0].startswith("(") and keys[0].endswith(")"):
        return keys[0][1:-1]
    return None
