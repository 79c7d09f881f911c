"""Names as the Gateway API and ExternalDNS compare them: wildcards, intersections, zones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize


if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME, MAX_LABEL = 253, 63
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_IPV4 = re.compile(r"\d+(\.\d+){3}")
_WILDCARD = "*."


def canonical(host: str) -> str | None:
    """Return `host` in lower case without its final dot, or None if it is no DNS name.

    A leading `*.` is allowed, an address is not (RFC 1123 labels, as the Gateway API asks).
    Other letters than ASCII's become what DNS and Cloudflare's API have for them (RFC 3492).
    """
    name = host.strip().lower().removesuffix(".")
    if not name.isascii():
        name = ".".join(map(_in_ascii, normalize("NFKC", name).split(".")))
    bare = name.removeprefix(_WILDCARD)
    if not bare or len(bare) > MAX_NAME or _IPV4.fullmatch(bare):
        return None
    return name if all(_LABEL.fullmatch(label) for label in bare.split(".")) else None


def _in_ascii(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


def intersection(listener: str, route: str) -> str | None:
    """Return the more specific of two canonical names where they overlap, else None.

    An empty name stands for any name. `*.example.com` holds every name below example.com, at
    any depth, and not example.com itself (Gateway API, "Hostname"; ExternalDNS does the same).
    """
    if not listener or not route or listener == route:
        return listener or route
    if _holds(listener, route):
        return route
    return listener if _holds(route, listener) else None


def _holds(pattern: str, name: str) -> bool:
    return pattern.startswith(_WILDCARD) and name.endswith(pattern[1:])


def fits(name: str) -> bool:
    """Return whether a name is short enough for DNS, of whatever characters it is (RFC 1035)."""
    return len(name) <= MAX_NAME and max(map(len, name.split("."))) <= MAX_LABEL


def is_wildcard(host: str) -> bool:
    """Return whether a canonical name stands for all names below a domain."""
    return host.startswith(_WILDCARD)


def within(host: str, domain: str) -> bool:
    """Return whether a canonical name is `domain` itself or lies below it."""
    return host == domain or host.endswith(f".{domain}")


def zone_of(host: str, zones: Iterable[str]) -> str | None:
    """Return the longest of the zone names that holds `host`, or None."""
    return max((zone for zone in zones if within(host, zone)), key=len, default=None)
