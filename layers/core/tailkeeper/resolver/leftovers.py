"""What a document of somebody else's answers that ours in its place would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailkeeper.hostnames import within
from tailkeeper.resolver.corefile import server_blocks
from tailkeeper.resolver.document import kept, parse
from tailkeeper.resolver.workloads import reads_once


if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from tailkeeper.config import ResolverConfig
    from tailkeeper.resolver.corefile import ServerBlock

# Plugins that answer no name by themselves, and `forward`, which ours has too.
SILENT = frozenset(
    {
        *("any", "bind", "bufsize", "cache", "cancel", "chaos", "debug", "dnstap", "errors"),
        *("forward", "header", "health", "local", "log", "loop", "loadbalance", "metadata"),
        *("minimal", "nsid", "pprof", "prometheus", "ready", "reload", "root", "timeouts"),
        *("tls", "trace"),
    }
)
SHOWN = 5


def is_foreign(text: str | None) -> bool:
    """Say whether a document is somebody else's; an empty one is nobody's."""
    return bool(text and text.strip()) and parse(text or "") is None


def lost(resolver: ResolverConfig, text: str | None, ours: Container[str]) -> tuple[str, ...]:
    """Return, in words, what a foreign document answers and a take-over drops.

    `ours` are the names that we would answer ourselves.
    """
    if not is_foreign(text) or resolver.mode == "hosts":
        return ()
    stays = kept(resolver, text or "")
    return tuple(
        dict.fromkeys(
            what
            for block in server_blocks(text or "")
            for what in _of_block(resolver, block, {*stays}, ours)
        )
    )


def _of_block(
    resolver: ResolverConfig, block: ServerBlock, stays: Container[str], ours: Container[str]
) -> Iterator[str]:
    if not any(within(domain, zone) for domain in resolver.domains for zone in block.zones):
        yield f"the block {' '.join(block.zones) or '.'}"
        return
    for words in block.plugins:
        if words[0] not in SILENT and words != ("hosts",):
            yield " ".join(words)
    yield from (name for name in block.names if name not in stays and name not in ours)


def told(resolver: ResolverConfig, text: str | None, ours: Container[str]) -> Iterator[str]:
    """Yield what people should know before a document of somebody else's is taken over."""
    take = f"a take-over of {resolver.key} of ConfigMap {resolver.place}"
    if drops := lost(resolver, text, ours):
        yield f"{take} drops {_listed(drops)}"
    stays = kept(resolver, text or "") if is_foreign(text) else {}
    if names := sorted(name for name in stays if name not in ours):
        yield f"{take} keeps {_listed(names)}"
    if reads_once(resolver, text):
        then = "restarts" if resolver.take_over else "needs a restart of"
        yield f"{take} {then} its CoreDNS, which has no reload"


def _listed(things: Sequence[str]) -> str:
    more = len(things) - SHOWN
    return "; ".join(things[:SHOWN]) + (f" and {more} more" if more > 0 else "")
