"""Which records may share a name.

Cloudflare's documented rules: a CNAME stands beside no address and no other CNAME (a TXT is
allowed), an NS beside nothing but a DS. The API tells 81057 from 81058 by the settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cloudflare.errors import Refused, refused


if TYPE_CHECKING:
    from collections.abc import Iterable


Wire = dict[str, Any]
ADDRESSES = frozenset({"A", "AAAA"})


def refuse_conflicts(wire: Wire, others: Iterable[Wire]) -> None:
    """Raise Refused if a record cannot stand beside the others of its name."""
    for other in others:
        error = _conflict(wire, other)
        if error:
            raise error


def _conflict(wire: Wire, other: Wire) -> Refused | None:
    rtype, have = wire["type"], other["type"]
    if rtype == "CNAME" and have in ADDRESSES | {"CNAME"}:
        return refused(81053, "An A, AAAA, or CNAME record with that host already exists.")
    if rtype in ADDRESSES and have == "CNAME":
        return refused(81054, "A CNAME record with that host already exists.")
    if (rtype == "NS") != (have == "NS") and "DS" not in {rtype, have}:
        return refused(81056, "NS records with that host already exist.")
    if (rtype, _bare(wire)) != (have, _bare(other)):
        return None
    if all(wire[key] == other[key] for key in ("content", "ttl", "proxied")):
        return refused(81058, "An identical record already exists.")
    return refused(81057, "The record already exists.")


def _bare(wire: Wire) -> str:
    content: str = wire["content"]
    return content.strip('"') if wire["type"] == "TXT" else content.lower()
