"""Identifiers: public ones that a fresh world hands out again in the same order, and secrets."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import string
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Container

ALPHABET = string.digits + string.ascii_letters
RANGE_V4 = ipaddress.IPv4Network("100.64.0.0/10")
RANGE_V6 = ipaddress.IPv6Network("fd7a:115c:a1e0::/48")
# Not for devices (tailscale.com/kb/1304): 100.100.100.100 answers MagicDNS, ChromeOS has the last.
RESERVED = (
    ipaddress.IPv4Network("100.100.0.0/24"),
    ipaddress.IPv4Network("100.100.100.0/24"),
    ipaddress.IPv4Network("100.115.92.0/23"),
)


def assignable(address: str) -> bool:
    """Say whether a device may have this IPv4 address."""
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return parsed in RANGE_V4 and not any(parsed in network for network in RESERVED)


def twin(address: str) -> str:
    """Return the IPv6 address that goes with an IPv4 one: `fd7a:115c:a1e0::6440:1`."""
    return str(RANGE_V6[int(ipaddress.IPv4Address(address))])


def fingerprint(text: str) -> str:
    """Return 64 hexadecimal digits that belong to the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def secret(kind: str, owner: str = "") -> str:
    """Return new key material: `tskey-<kind>-[<owner>-]<32 letters and digits>`."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(32))
    return "-".join(part for part in ("tskey", kind, owner, random) if part)


@dataclass
class Ids:
    """Counters, so that nothing is handed out twice, even after a restart."""

    counters: Counter[str] = field(default_factory=Counter)

    def _number(self, kind: str) -> int:
        self.counters[kind] += 1
        return int(fingerprint(f"{kind}{self.counters[kind]}"), 16)

    def opaque(self, kind: str, initial: str) -> str:
        """Return the next identifier like `n292kg92CNTRL`."""
        number, letters = self._number(kind), ""
        for _ in range(9):
            number, index = divmod(number, len(ALPHABET))
            letters += ALPHABET[index]
        return f"{initial}{letters}CNTRL"

    def numeric(self, kind: str) -> str:
        """Return the next identifier like `92960230385`."""
        return str(10**10 + self._number(kind) % 10**11)

    def address(self, used: Container[str]) -> str:
        """Return the next free IPv4 address, counting up from 100.64.0.1."""
        while True:
            self.counters["address"] += 1
            address = str(RANGE_V4[self.counters["address"]])
            if assignable(address) and address not in used:
                return address
