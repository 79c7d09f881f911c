"""What is kept of a record on Cloudflare's wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


def trimmed(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we keep of a record; a field that Cloudflare left out has its default."""
    record = {
        "id": wire["id"],
        "name": wire["name"],
        "type": wire["type"],
        "content": wire.get("content") or "",
        "ttl": wire.get("ttl") or 1,
        "proxied": bool(wire.get("proxied")),
        "comment": wire.get("comment") or "",
    }
    return {**record, "tags": wire["tags"]} if wire.get("tags") else record
