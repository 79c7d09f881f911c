"""Everything one Cloudflare account holds, and what the world may ask of it in Python."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.cloudflare.edge import edge_records
from sandbox.cloudflare.errors import no_route, refused
from sandbox.cloudflare.fields import PLANS
from sandbox.cloudflare.names import ancestors, within
from sandbox.cloudflare.ratelimit import Limiter
from sandbox.cloudflare.zones import Change, Zone


if TYPE_CHECKING:
    from sandbox.cloudflare.tokens import Token


Subscriber = Callable[[str, dict[str, Any]], None]


@dataclass
class Account:
    """Zones by id, tokens by id, the limiter, and who wants to know of changed records."""

    clock: Clock = field(default_factory=Clock)
    limiter: Limiter = field(default_factory=Limiter)
    zones: dict[str, Zone] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)
    id: str = hashlib.md5(b"account", usedforsecurity=False).hexdigest()
    user: str = hashlib.md5(b"user", usedforsecurity=False).hexdigest()

    def stamp(self) -> str:
        """Return the world's time as the API writes it."""
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        return now.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def add_zone(self, name: str, *, plan: str = "free", zone_id: str = "") -> Zone:
        """Add a zone; its id follows from its name unless given. Raise ValueError for no plan."""
        if plan not in PLANS:
            raise ValueError(f"{plan} is not one of the plans {', '.join(PLANS)}")
        zone_id = zone_id or uuid.uuid5(uuid.NAMESPACE_DNS, name).hex
        zone = Zone(zone_id, name.lower(), self.stamp, PLANS[plan], created_on=self.stamp())
        self.zones[zone_id] = zone
        return zone

    def zone(self, zone_id: str, path: str) -> Zone:
        """Return a zone by its id; raise Refused (404) when there is none."""
        if zone_id not in self.zones:
            raise no_route(path)
        return self.zones[zone_id]

    def zone_of(self, name: str) -> Zone | None:
        """Return the zone that answers for a name: the closest one at or above it."""
        bare = name.lower().removesuffix(".")
        fits = [zone for zone in self.zones.values() if within(bare, zone.name)]
        return max(fits, key=lambda zone: len(zone.name), default=None)

    def lookup(self, name: str, rtype: str) -> list[dict[str, Any]]:
        """Return what Cloudflare's servers answer for a name and type, as record dicts.

        The records of exactly that type, as the API shows them: a caller follows CNAMEs by asking
        for the type CNAME. Wildcards as in RFC 4592; proxied names show Cloudflare's edge.
        """
        bare = name.lower().removesuffix(".")
        zone = self.zone_of(bare)
        if not zone:
            return []
        wires = [record.wire for record in zone.named(_owner(zone, bare))]
        if any(wire["proxied"] for wire in wires):
            hidden = edge_records(bare, rtype)
            return hidden or [w | {"name": bare} for w in wires if _beside_proxy(w, rtype)]
        return [wire | {"name": bare} for wire in wires if wire["type"] == rtype]

    def exists(self, name: str) -> bool:
        """Say whether a name has records of some type, by itself or by a wildcard, or below it."""
        bare = name.lower().removesuffix(".")
        zone = self.zone_of(bare)
        return zone is not None and zone.exists(_owner(zone, bare))

    @contextmanager
    def changing(self, zone: Zone) -> Iterator[None]:
        """Let the block's changes to a zone happen whole or not at all, then tell of them."""
        with zone.transaction() as changes:
            yield
        self._tell(changes)

    def bearer(self, header: str | None) -> Token:
        """Return the token of an Authorization header; raise Refused as the API does."""
        if not header:
            raise refused(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer" or not value or not value.isprintable() or " " in value:
            error = refused(6003, "Invalid request headers")
            wrong = {"code": 6111, "message": "Invalid format for Authorization header"}
            error.errors[0]["error_chain"] = [wrong]
            raise error
        token = next((t for t in self.tokens.values() if t.value == value), None)
        if not token or token.status(self.clock.now()) != "active":
            raise refused(9109, "Invalid access token", status=403)
        token.wire["last_used_on"] = self.stamp()
        return token

    def _tell(self, changes: list[Change]) -> None:
        for before, after in changes:
            kind = "updated" if before and after else "created" if after else "deleted"
            for subscriber in self.subscribers:
                record = after or before
                if record:
                    subscriber(kind, record.wire)


def _owner(zone: Zone, name: str) -> str:
    """Return the name whose records answer: itself, or the wildcard below its closest encloser."""
    if zone.exists(name):
        return name
    closest = next(above for above in ancestors(name, zone.name) if zone.exists(above))
    return f"*.{closest}"


def _beside_proxy(wire: dict[str, Any], rtype: str) -> bool:
    return wire["type"] == rtype and rtype not in {"A", "AAAA", "CNAME", "HTTPS"}
