"""What we write for a split-horizon CoreDNS, rendered and read back.

Two modes (docs/decisions/0005-resolver.md). In `hosts` the document is a hosts file in a ConfigMap
of our own, which a Corefile that belongs to git names. In `corefile` the document is the whole
Corefile of a set-up that has only that one: rewritten, but correctly. CoreDNS's rules are those of
its plugin pages `hosts`, `template`, `forward` and `health`, and of its manual, "Configuration".

Either document answers the exposures' names and no other. For these, a missing family and queries
for HTTPS or SVCB get NOERROR without data, from the `hosts` plugin. Other names get the public
answer, or NXDOMAIN with `otherwise: nxdomain`, which leaves names such as `_acme-challenge` alone.
Plain entries that somebody else had put there stay behind a line of comment, unless their name is
an exposure's: they are nobody's to plan.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING

from tailkeeper.hostnames import within
from tailkeeper.resolver.corefile import server_blocks


if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from tailkeeper.config import ResolverConfig

KEPT = "# Kept, since others put them there:"
HEADER = "# Written by tailkeeper; edits are overwritten."
NAMES_PER_LINE = 8
SOA = "{{ .Zone }} 60 IN SOA ns.{{ .Zone }} hostmaster.{{ .Zone }} (1 60 60 60 60)"
_PORT = re.compile(r"^[^\s#{}]*:(\d+)[\s,][^\n]*\{\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^\s*([0-9a-fA-F.:]+)((?:\s+[^\s#{}]+)+)\s*$")


def render(
    resolver: ResolverConfig, entries: Mapping[str, Iterable[str]], previous: str = ""
) -> str:
    """Return the document that answers `entries`.

    `previous` lends a Corefile its port, and any document the entries of others.
    """
    others = kept(resolver, previous, entries)
    lines = list(_host_lines(entries))
    if others:
        lines += [KEPT, *_host_lines(others)]
    if resolver.mode == "hosts":
        return "\n".join([HEADER, *lines, ""])
    blocks = _open_zone if resolver.otherwise == "public" else _closed_zone
    names = sorted({*entries, *others})
    return "\n".join([HEADER, *blocks(resolver, lines, names, previous), ""])


def parse(text: str) -> Mapping[str, tuple[str, ...]] | None:
    """Return the entries, host to addresses, of a document of ours; None when it is another's."""
    return _parsed(text) if text.startswith(HEADER) else None


@lru_cache(maxsize=2)  # each change of a plan asks for its own host
def _parsed(text: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(_entries(text.partition(KEPT)[0].splitlines()))


def kept(
    resolver: ResolverConfig, previous: str, entries: Container[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return the plain entries of others that stay in a document, by host.

    Of a hosts file these are all; of a Corefile, the names of our domains within the `hosts` of
    their blocks. `entries` are ours.
    """

    def is_inside(host: str) -> bool:
        return any(within(host, domain) for domain in resolver.domains)

    if previous.startswith(HEADER):
        lines = previous.partition(KEPT)[2].splitlines()
    elif resolver.mode == "hosts":
        lines = previous.splitlines()
    else:
        blocks = server_blocks(previous)
        mine = (b for b in blocks if any(within(d, z) for d in resolver.domains for z in b.zones))
        lines = [" ".join(words) for block in mine for words in block.entries]
    return {
        host: addresses
        for host, addresses in _entries(lines).items()
        if host not in entries and (resolver.mode == "hosts" or is_inside(host))
    }


def _entries(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    entries: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        match = _ENTRY.match(line.partition("#")[0])
        if match and _is_address(match[1]):
            for host in match[2].split():
                entries[host.lower()].append(match[1])
    return {host: tuple(dict.fromkeys(addresses)) for host, addresses in entries.items()}


def is_intact(resolver: ResolverConfig, text: str) -> bool:
    """Say whether a document is exactly what we would write for the entries in it."""
    entries = parse(text)
    return entries is not None and render(resolver, entries, text) == text


def _host_lines(entries: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield `address name…` lines: IPv4 before IPv6, names sorted, a readable number to a line."""
    by_address: defaultdict[str, list[str]] = defaultdict(list)
    for host in sorted(entries):
        for address in entries[host]:
            by_address[address].append(host)
    for address in sorted(by_address, key=family):
        hosts = by_address[address]
        for start in range(0, len(hosts), NAMES_PER_LINE):
            yield " ".join([address, *hosts[start : start + NAMES_PER_LINE]])


def family(address: str) -> tuple[int, int]:
    """Return the sort key of an address: IPv4 before IPv6, then by number."""
    parsed = ip_address(address)
    return parsed.version, int(parsed)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _keys(names: Iterable[str], previous: str) -> str:
    match = _PORT.search(previous)
    return " ".join(f"{name}:{match[1] if match else 53}" for name in names)


def _open_zone(
    resolver: ResolverConfig, lines: list[str], _: list[str], previous: str
) -> Iterator[str]:
    yield _keys(resolver.domains, previous) + " {"
    yield from ("    errors", "    health", "    ready", "    reload")
    yield from _hosts_block(resolver, lines)
    yield f"    forward . {' '.join(resolver.upstreams)}"
    yield from ("    cache 30", "}")


def _closed_zone(
    resolver: ResolverConfig, lines: list[str], hosts: list[str], previous: str
) -> Iterator[str]:
    """Yield a block for the exposures and one for the rest of the zone.

    `template` runs before `hosts`, whatever the order of the lines, so it needs a block of its own;
    CoreDNS answers from the block with the longest matching zone. Names that begin with `_` fall
    through to public DNS, as does what a wildcard's parent holds besides; a wildcard of a whole
    domain leaves nothing to close.
    """
    zones = sorted({host.removeprefix("*.") for host in hosts})
    if any(f"*.{domain}" in hosts for domain in resolver.domains):
        yield from _open_zone(resolver, lines, hosts, previous)
        return
    public = f"    forward . {' '.join(resolver.upstreams)}"
    if zones:
        yield _keys(zones, previous) + " {"
        yield "    errors"
        yield from _hosts_block(resolver, lines)
        yield from (public, "    cache 30", "}")
    yield _keys(resolver.domains, previous) + " {"
    yield from ("    errors", "    health", "    ready", "    reload")
    yield from ("    template ANY ANY {", '        match "^[^_]"', "        rcode NXDOMAIN")
    yield f'        authority "{SOA}"'
    yield from ("        fallthrough", "    }", public, "    cache 30", "}")


def _hosts_block(resolver: ResolverConfig, lines: list[str]) -> Iterator[str]:
    yield "    hosts {"
    yield from (f"        {line}" for line in lines)
    yield from (f"        ttl {resolver.ttl}", "        no_reverse", "        fallthrough", "    }")
