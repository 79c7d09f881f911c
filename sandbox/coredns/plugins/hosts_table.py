"""A hosts file as hosts(5) describes it and CoreDNS reads it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from sandbox.coredns.zones import fqdn, matching


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


FAMILIES = {4: "A", 6: "AAAA"}


@dataclass
class Table:
    """Names to addresses and back."""

    addresses: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    owners: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def parse(cls, lines: Iterable[str], zones: Sequence[str]) -> Table:
        """Read lines of a hosts file; names outside the zones are left out."""
        table = cls()
        for line in lines:
            words = line.partition("#")[0].split()
            address = _address(words[0]) if len(words) > 1 else None
            for name in map(fqdn, words[1:] if address else ()):
                if address and matching(zones, name):
                    table.add(name, address)
        return table

    def add(self, name: str, address: str) -> None:
        """Add one address of a name."""
        family = FAMILIES[ip_address(address).version]
        self.addresses.setdefault(name, {}).setdefault(family, []).append(address)
        self.owners[address].append(name)


def _address(word: str) -> str | None:
    """Return an address in its usual form; an IPv4 address in an IPv6 one counts as IPv4."""
    try:
        address = ip_address(word.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
