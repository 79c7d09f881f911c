"""What Cloudflare's own name servers answer for a proxied name."""

from __future__ import annotations

import hashlib
from typing import Any


EDGE_TTL = 300


def edge_records(name: str, rtype: str) -> list[dict[str, Any]]:
    """Return the records that hide a proxied one: edge addresses, and HTTPS with their hints.

    Two addresses each of 104.16.0.0/13 and 2606:4700::/32, always the same for a name, TTL 300 s;
    every other type has no data (a proxied CNAME is never shown). As seen from the public DNS.
    """
    seed = hashlib.sha256(name.encode()).digest()
    v4 = [f"104.{16 + seed[i] % 8}.{seed[i + 1]}.{seed[i + 2]}" for i in (0, 3)]
    v6 = [f"2606:4700::{groups}" for groups in map(_as_groups, v4)]
    hints = f'1 . alpn="h3,h2" ipv4hint={",".join(v4)} ipv6hint={",".join(v6)}'
    contents = {"A": v4, "AAAA": v6, "HTTPS": [hints]}.get(rtype, [])
    return [
        {"name": name, "type": rtype, "content": content, "ttl": EDGE_TTL, "proxied": True}
        for content in contents
    ]


def _as_groups(address: str) -> str:
    """Return an IPv4 address as two groups of an IPv6 one."""
    a, b, c, d = map(int, address.split("."))
    return f"{a << 8 | b:x}:{c << 8 | d:x}"
