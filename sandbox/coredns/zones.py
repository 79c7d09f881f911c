"""Zones as Corefiles write them: names, CIDR prefixes for reverse zones, ports, transports."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

import dns.exception
import dns.name

from sandbox.coredns.errors import CorefileError


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


PORTS = {
    "dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443,
}  # fmt: skip
LONGEST = 255


@dataclass(frozen=True)
class Address:
    """Where a zone is served: `dns://example.org.:53`."""

    transport: str
    zone: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}://{self.zone}:{self.port}"


def addresses(key: str) -> list[Address]:
    """Return what a server block's key means; a CIDR prefix may mean several zones."""
    transport, rest = split_transport(key)
    hosts, port = split_host_port(rest)
    return [Address(transport, fqdn(host), port or PORTS[transport]) for host in hosts]


def split_transport(text: str) -> tuple[str, str]:
    """Return the transport named before `://` (dns if there is none) and the rest."""
    for transport in PORTS:
        if text.startswith(f"{transport}://"):
            return transport, text.removeprefix(f"{transport}://")
    return "dns", text


def split_host_port(text: str) -> tuple[list[str], int | None]:
    """Return the zones and the port of `zone[:port]`; raise CorefileError for no name."""
    head, colon, tail = text.rpartition(":")
    if colon and not tail:
        raise CorefileError(f'expecting data after last colon: "{text}"')
    port = None
    if colon and tail.isdecimal():
        text, port = head, int(tail)
    if len(text) > LONGEST:
        raise CorefileError(f"specified zone is too long: {len(text)} > {LONGEST}")
    if not is_name(text):
        raise CorefileError(f"zone is not a valid domain name: {text}")
    return reverse_zones(text) or [text], port


def normalized(text: str) -> list[str]:
    """Return the zones of a plugin's argument in lower case with a final dot, or raise."""
    try:
        hosts, _ = split_host_port(split_transport(text)[1])
    except CorefileError as error:
        raise CorefileError(f"unable to normalize '{text}'") from error
    return [fqdn(host) for host in hosts]


def origins(args: Iterable[str], block: Sequence[str]) -> list[str]:
    """Return the zones a plugin is meant for: those it names, else the server block's."""
    named = [zone for arg in args for zone in normalized(arg)]
    return named or list(block)


def reverse_zones(text: str) -> list[str]:
    """Return the in-addr.arpa or ip6.arpa zones of a CIDR prefix; [] if the text is none."""
    if "/" not in text:
        return []
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return []
    step = 8 if network.version == 4 else 4
    length = -(-network.prefixlen // step) * step
    return [_reverse(part, step) for part in network.subnets(new_prefix=length)]


def matching(zones: Iterable[str], name: str) -> str | None:
    """Return the longest zone at or above a name (both with final dots), or None."""
    fits = [zone for zone in zones if within(name, zone)]
    return max(fits, key=len, default=None)


def within(name: str, zone: str) -> bool:
    """Say whether a name is a zone's apex or below it."""
    return zone in (".", name) or name.endswith(f".{zone}")


def fqdn(name: str) -> str:
    """Return a name in lower case with a final dot."""
    return f"{name.lower().removesuffix('.')}."


def is_name(text: str) -> bool:
    """Say whether the text can be a domain name."""
    if not text or ".." in text or (text.startswith(".") and text != "."):
        return False
    try:
        dns.name.from_text(text, idna_codec=dns.name.IDNA_2008_Practical)
    except (dns.exception.DNSException, UnicodeError):
        return False
    return True


def _reverse(network: IPv4Network | IPv6Network, step: int) -> str:
    pointer = network.network_address.reverse_pointer.split(".")
    unused = (network.max_prefixlen - network.prefixlen) // step
    return ".".join(pointer[unused:]) + "."
