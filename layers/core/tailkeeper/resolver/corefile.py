"""Just enough of a Corefile: its server blocks, their zones, plugins' first lines, hosts' entries.

Rules: CoreDNS manual, "Configuration". Keys are `[scheme://]zone[:port]`, a block ends with a
closing brace on a line of its own, `(name)` is a snippet that `import name` brings in.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Line = tuple[str, tuple[str, ...]]  # the plugin that it stands within, "" at a block's own level

INTERNAL = ("cluster.local", "in-addr.arpa", "ip6.arpa")


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """One block: its zones without scheme and port, and its plugins as lists of words.

    `entries` are the lines within its `hosts`.
    """

    zones: tuple[str, ...]
    plugins: tuple[tuple[str, ...], ...]
    entries: tuple[tuple[str, ...], ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the zones that are names of their own: not the root, not the cluster's."""
        return tuple(
            zone for zone in self.zones if zone and not zone.endswith(INTERNAL) and "{" not in zone
        )

    def plugin(self, name: str) -> tuple[str, ...] | None:
        """Return the words after a plugin's name, where the block has it."""
        return next((words[1:] for words in self.plugins if words[0] == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that its `hosts` answers by itself."""
        entries = (words for words in self.entries if _is_address(words[0]))
        return tuple(name.lower() for words in entries for name in words[1:])

    @property
    def upstreams(self) -> tuple[str, ...]:
        """Return the plain addresses that the root is forwarded to."""
        words = self.plugin("forward") or ()
        return tuple(word for word in words[1:] if _is_address(word))


def server_blocks(text: str) -> tuple[ServerBlock, ...]:
    """Return the server blocks of a Corefile, its snippets brought in."""
    snippets: dict[str, list[Line]] = {}
    blocks = []
    for keys, lines in _blocks(text):
        whole = list(_imported(lines, snippets))
        if keys and keys[0].startswith("("):
            snippets[keys[0].strip("()")] = whole
        else:
            plugins = tuple(words for plugin, words in whole if not plugin)
            entries = tuple(words for plugin, words in whole if plugin == "hosts")
            blocks.append(ServerBlock(tuple(map(_zone, keys)), plugins, entries))
    return tuple(blocks)


def _imported(lines: Iterable[Line], snippets: dict[str, list[Line]]) -> Iterator[Line]:
    for plugin, words in lines:
        if not plugin and words[0] == "import" and words[-1] in snippets:
            yield from snippets[words[-1]]
        else:
            yield plugin, words


def _blocks(text: str) -> Iterator[tuple[list[str], list[Line]]]:
    """Yield each block's keys and its lines."""
    depth, keys, lines = 0, list[str](), list[Line]()
    for words in filter(None, map(_words, text.splitlines())):
        # Braces within quotes, as in an answer's template, neither end a line nor stand alone.
        opens, closes = words[-1] == "{", words == ["}"]
        inside = words[:-1] if opens else words
        if depth == 0 and not closes:
            keys = [key for word in inside for key in word.split(",") if key]
        elif inside and not closes:
            outer = next((told[0] for plugin, told in reversed(lines) if not plugin), "")
            lines.append(("" if depth == 1 else outer, tuple(inside)))
        depth = max(0, depth + opens - closes)
        if closes and depth == 0:
            yield keys, lines
            keys, lines = [], []


def _words(line: str) -> list[str]:
    words = line.split()
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), None)
    return words[:comment]


def _zone(key: str) -> str:
    name = key.rpartition("://")[2]
    zone, colon, port = name.rpartition(":")
    return (zone if colon and port.isdigit() else name).removesuffix(".").lower()


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True
