"""What we write for a resolver, judged by CoreDNS's rules: F09, F10, S1 to S4."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from sandbox.clock import Clock
from sandbox.coredns import CoreDNS
from sandbox.dns import reply
from tailkeeper.config import ResolverConfig
from tailkeeper.resolver.document import is_intact, parse, render


if TYPE_CHECKING:
    from sandbox.dns.wire import Message

ENTRIES = {
    "app.example.com": ("100.64.0.1", "fd7a:115c:a1e0::1"),
    "v4.example.com": ("100.64.0.2",),
    "*.wild.example.com": ("100.64.0.3",),
}
PUBLIC = "203.0.113.99"
HOSTS_COREFILE = """example.com:53 {
    errors
    reload
    hosts /etc/coredns/tailkeeper/hosts example.com {
        ttl 30
        reload 5s
        fallthrough
    }
    forward . 1.1.1.1
}
"""


def resolver(mode: str, otherwise: str = "public") -> ResolverConfig:
    """Return a resolver's configuration."""
    return ResolverConfig("dns", mode, "map", "service", ("example.com",), otherwise=otherwise)


def serving(config: ResolverConfig, text: str) -> CoreDNS:
    """Start a CoreDNS that reads the document; its upstream answers every A query."""
    files = {"/etc/coredns/Corefile": text}
    if config.mode == "hosts":
        files = {"/etc/coredns/Corefile": HOSTS_COREFILE, "/etc/coredns/tailkeeper/hosts": text}
    server = CoreDNS(files, Clock(), public)
    server.start()
    return server


async def public(query: Message, *_: object) -> Message:
    """Answer as public DNS: an address for every A query, nothing for the rest."""
    answer = reply(query, dns.rcode.NOERROR)
    name = query.question[0].name
    if query.question[0].rdtype == dns.rdatatype.A:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", PUBLIC))
    return answer


def ask(server: CoreDNS, name: str, kind: str) -> tuple[str, list[str]]:
    """Return the rcode and the data that the resolver answers."""
    answer = asyncio.run(server.answer(dns.message.make_query(name, kind)))
    assert answer is not None
    data = [str(item) for rrset in answer.answer for item in rrset]
    return dns.rcode.to_text(answer.rcode()), data


@pytest.mark.parametrize(
    ("mode", "otherwise"), [("hosts", "public"), ("corefile", "public"), ("corefile", "nxdomain")]
)
@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("app.example.com", "A", ["100.64.0.1"]),
        ("app.example.com", "AAAA", ["fd7a:115c:a1e0::1"]),
        ("app.example.com", "HTTPS", []),
        ("app.example.com", "TXT", []),
        ("v4.example.com", "A", ["100.64.0.2"]),
        ("v4.example.com", "AAAA", []),
        ("x.wild.example.com", "A", ["100.64.0.3"]),
        ("_acme-challenge.example.com", "A", [PUBLIC]),
        ("_acme-challenge.app.example.com", "A", [PUBLIC]),
    ],
)
def test_exposures_are_answered_and_challenges_left_alone(
    mode: str, otherwise: str, name: str, kind: str, expected: list[str]
) -> None:
    """Listed families are answered, the rest is NODATA without a public leak."""
    config = resolver(mode, otherwise)
    server = serving(config, render(config, ENTRIES))

    assert ask(server, name, kind) == ("NOERROR", expected)


@pytest.mark.parametrize(
    "name", ["example.com", "nosuch.example.com", "app.example.com.example.com"]
)
@pytest.mark.parametrize(
    ("mode", "otherwise", "expected"),
    [
        ("hosts", "public", ("NOERROR", [PUBLIC])),
        ("corefile", "public", ("NOERROR", [PUBLIC])),
        ("corefile", "nxdomain", ("NXDOMAIN", [])),
    ],
)
def test_the_rest_of_the_zone_is_public_or_does_not_exist(
    name: str, mode: str, otherwise: str, expected: tuple[str, list[str]]
) -> None:
    """Apex and unknown names are never hijacked (S4)."""
    config = resolver(mode, otherwise)

    assert ask(serving(config, render(config, ENTRIES)), name, "A") == expected


@pytest.mark.parametrize("count", [0, 1, 9, 500])
@pytest.mark.parametrize(
    ("mode", "otherwise"), [("hosts", "public"), ("corefile", "public"), ("corefile", "nxdomain")]
)
def test_documents_are_read_back_as_they_were_written(
    mode: str, otherwise: str, count: int
) -> None:
    """Any number of names survives the way there and back, in a document CoreDNS accepts."""
    config = resolver(mode, otherwise)
    entries = {f"n{i}.example.com": (f"100.64.{i // 250}.{i % 250}",) for i in range(count)}

    text = render(config, entries)

    assert parse(text) == entries
    assert is_intact(config, text)
    assert serving(config, text).state == "running"


def test_a_corefile_keeps_its_port() -> None:
    """Pods whose probes and Services know another port go on listening there."""
    config = resolver("corefile")
    previous = "example.com:5353 {\n    forward . 9.9.9.9\n}\n"

    assert "example.com:5353 {" in render(config, ENTRIES, previous)


def test_what_others_wrote_is_not_ours() -> None:
    """A document without our header has no entries, and an edited one is not intact."""
    config = resolver("hosts")
    text = render(config, ENTRIES)

    assert parse("100.64.0.1 app.example.com\n") is None
    assert not is_intact(config, text + "100.64.0.9 intruder.example.com\n")


def test_a_wildcard_of_the_whole_domain_cannot_be_closed() -> None:
    """Every name below the domain is an exposure then; the apex keeps its public answer."""
    config = resolver("corefile", "nxdomain")
    server = serving(config, render(config, {"*.example.com": ("100.64.0.1",)}))

    assert ask(server, "any.example.com", "A") == ("NOERROR", ["100.64.0.1"])
    assert ask(server, "example.com", "A") == ("NOERROR", [PUBLIC])
