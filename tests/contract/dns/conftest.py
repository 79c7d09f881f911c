"""Zones, a tailnet and a clock for the DNS servers of the sandbox, as values."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rcode
import pytest
import trustme

from sandbox.clock import Clock
from sandbox.dns import Client, PublicDns


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.dns.wire import Message


@dataclass(frozen=True)
class FakeZone:
    """A zone's name and servers."""

    name: str
    name_servers: tuple[str, ...] = ("ada.ns.cloudflare.com", "hugo.ns.cloudflare.com")


@dataclass
class FakeZones:
    """An account of two zones, without wildcards and proxy: those are the account's business."""

    records: list[dict[str, Any]] = field(default_factory=list)
    zones: tuple[FakeZone, ...] = (FakeZone("example.com"), FakeZone("example.net"))

    def add(self, name: str, rtype: str, content: str, **more: Any) -> None:
        """Add a record as Cloudflare's API writes it."""
        record = {"name": name, "type": rtype, "content": content, "ttl": 1, "proxied": False}
        self.records.append(record | more)

    def zone_of(self, name: str) -> FakeZone | None:
        """Return the zone that holds a name."""
        return next((z for z in self.zones if f".{name}".endswith(f".{z.name}")), None)

    def lookup(self, name: str, rtype: str) -> list[dict[str, Any]]:
        """Return the records of one name and type."""
        return [r for r in self.records if (r["name"], r["type"]) == (name, rtype)]

    def exists(self, name: str) -> bool:
        """Say whether the name or one below it has records."""
        return any(f".{record['name']}".endswith(f".{name}") for record in self.records)


@dataclass(frozen=True)
class MovableClock(Clock):
    """The world's clock, which a test moves."""

    offset: list[float] = field(default_factory=lambda: [0.0])

    def now(self) -> float:
        """Return the time, moved."""
        return self.started + self.offset[0]


@pytest.fixture
def zones() -> FakeZones:
    """Return two zones with the records of a homelab."""
    zones = FakeZones()
    zones.add("app.example.com", "CNAME", "gateway.ainu-herring.ts.net")
    zones.add("cname-app.example.com", "TXT", '"heritage=external-dns,external-dns/owner=home"')
    zones.add("docs.example.com", "CNAME", "docs.pages.dev")
    zones.add("one.example.com", "A", "203.0.113.1", ttl=120)
    zones.add("one.example.com", "A", "203.0.113.2", ttl=120)
    zones.add("one.example.com", "AAAA", "2001:db8::1")
    zones.add("alias.example.com", "CNAME", "one.example.com")
    zones.add("across.example.com", "CNAME", "www.example.net")
    zones.add("www.example.net", "A", "203.0.113.9")
    zones.add("circle.example.com", "CNAME", "circle2.example.com")
    zones.add("circle2.example.com", "CNAME", "circle.example.com")
    zones.add("example.com", "CNAME", "one.example.com")
    zones.add("example.com", "MX", "mail.example.net", priority=10)
    zones.add("example.net", "CNAME", "gateway.ainu-herring.ts.net")
    zones.add("deep.empty.example.com", "A", "203.0.113.3")
    zones.add("child.example.com", "NS", "ns1.elsewhere.org")
    zones.add("dangling.example.com", "CNAME", "none.example.com")
    zones.add("flat.example.com", "CNAME", "docs.pages.dev", settings={"flatten_cname": True})
    zones.add("to.example.net", "CNAME", "gateway.ainu-herring.ts.net")
    zones.add("gone.example.net", "CNAME", "gone.ainu-herring.ts.net")
    zones.add("inside.example.net", "CNAME", "any.split.org")
    zones.add("_sip._tcp.example.com", "SRV", "10 5 5060 one.example.com")
    zones.add("web.example.com", "HTTPS", '1 . alpn="h3,h2" ipv4hint=104.16.0.1')
    return zones


@pytest.fixture
def public(zones: FakeZones) -> PublicDns:
    """Return the public DNS over those zones and two names of other people."""
    pages = {"A": ["172.66.44.10"], "AAAA": ["2606:4700:310c::ac42:2c0a"]}
    return PublicDns(
        zones, {"docs.pages.dev": pages, "to.pages.dev": {"CNAME": ["docs.pages.dev"]}}
    )


@pytest.fixture
def clock() -> MovableClock:
    """Return a clock that a test moves by `offset[0]`."""
    return MovableClock()


@pytest.fixture
def ask() -> Callable[..., str]:
    """Return what asks a handler `NAME TYPE` and shows the answer in one line."""

    def asked(handler: Any, words: str, *, recursion: bool = True) -> str:
        name, rtype = words.split(" ")
        query = dns.message.make_query(name, rtype)
        if not recursion:
            query.flags &= ~dns.flags.RD
        return shown(asyncio.run(handler(query, Client())))

    return asked


def shown(response: Message | None) -> str:
    """Return an answer as `RCODE flags | answer | authority`."""
    if response is None:
        return "silence"
    flags = [flag.lower() for flag in ("AA", "RA", "TC") if response.flags & dns.flags.Flag[flag]]
    sections = [
        " ; ".join(sorted(_short(line) for r in section for line in r.to_text().split("\n")))
        for section in (response.answer, response.authority)
    ]
    head = " ".join([dns.rcode.to_text(response.rcode()), *flags])
    return " | ".join([head, *sections]).rstrip(" |")


def _short(line: str) -> str:
    return re.sub(r" SOA .* (\d+)$", r" SOA minimum \1", line.replace(" IN ", " ", 1))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for a file of vectors its lines, as (question, answer)."""
    for path in (Path(__file__).parent / "vectors").glob("*.txt"):
        if f"{path.stem}_case" in metafunc.fixturenames:
            lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
            cases = [line.split(" => ", 1) for line in lines]
            metafunc.parametrize(f"{path.stem}_case", cases, ids=[case[0] for case in cases])


@pytest.fixture(scope="session")
def server_tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return TLS contexts of a server on 127.0.0.1 and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client
