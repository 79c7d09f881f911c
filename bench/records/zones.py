"""The zone under test: records of a gateway's names with their marks, and those of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cloudflare import Cloudflare
from sandbox.faults import Fault


if TYPE_CHECKING:
    from collections.abc import Iterable

ZONE, OWNER, TOKEN = "bench.test", "bench", "token"
GATEWAY, MOVED = "gateway.tail.ts.net", "gateway-1.tail.ts.net"
ALWAYS = 1_000_000_000


def names(count: int) -> list[str]:
    """Return so many names of the zone."""
    return [f"h{number:05}" for number in range(count)]


def mark_of(name: str) -> str:
    """Return what the ownership mark of a name says."""
    resource = f"httproute/apps/{name}"
    return f"heritage=external-dns,external-dns/owner={OWNER},external-dns/resource={resource}"


def records_of(name: str, *, marked: bool) -> list[dict[str, Any]]:
    """Return a name's record and its mark, as the API takes them."""
    host, content = f"{name}.{ZONE}", f'"{mark_of(name)}"'
    mark = {"name": f"cname-{host}", "type": "TXT", "content": content, "ttl": 1}
    record = {"name": host, "type": "CNAME", "content": GATEWAY, "ttl": 1}
    return [record, mark] if marked else [record]


@dataclass
class TestedZone:
    """The stand-in and its one zone."""

    __test__ = False
    cloudflare: Cloudflare = field(
        default_factory=lambda: Cloudflare(
            zones=[ZONE], api_token=TOKEN, plan="enterprise", requests_per_window=ALWAYS
        )
    )

    def fill(self, held: Iterable[str], foreign: Iterable[dict[str, Any]], *, marked: bool) -> None:
        """Let the zone hold these names and others' records, and nothing else."""
        records = [r for name in held for r in records_of(name, marked=marked)] + list(foreign)
        zone = {"name": ZONE, "plan": "enterprise", "records": records}
        self.cloudflare.load({**self.cloudflare.dump(), "zones": [zone]})
        self.cloudflare.faults.clear()

    def delay(self, milliseconds: int) -> None:
        """Let each answer take so long from now on, and count the calls from now on."""
        if milliseconds:
            self.cloudflare.faults.append(Fault(times=ALWAYS, delay_ms=milliseconds))
        self.cloudflare.requests.clear()

    @property
    def calls(self) -> int:
        """Return how many requests came since they are counted."""
        return len(self.cloudflare.requests)

    @property
    def held(self) -> dict[str, str]:
        """Return what the zone's names hold, by type and name."""
        (zone,) = self.cloudflare.zones.values()
        return {f"{r.wire['type']} {r.wire['name']}": r.wire["content"] for r in zone.records}
