"""What a machine of the tailnet is answered by 100.100.100.100."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.message
import pytest

from sandbox.dns import DnsServer, PublicDns, TailnetDns, reply
from sandbox.dns.records import rrset
from sandbox.dns.wire import Client, Message, question


if TYPE_CHECKING:
    from collections.abc import Callable


DOMAIN = "ainu-herring.ts.net"
RESOLVER = "100.64.0.53"


@dataclass
class FakeTailnet:
    """A gateway that registered again, its offline twin, and split DNS to a resolver."""

    devices: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"name": f"gateway.{DOMAIN}", "addresses": ["100.64.0.1", "fd7a:115c:a1e0::1"]},
            {"name": f"gateway-1.{DOMAIN}.", "addresses": ["100.64.0.2"]},
        ]
    )
    services: list[dict[str, Any]] = field(
        default_factory=lambda: [{"name": "svc:web", "addrs": ["100.64.0.9", "fd7a:115c:a1e0::9"]}]
    )
    split_dns: dict[str, list[str]] = field(
        default_factory=lambda: {"Split.org.": [RESOLVER], "deep.split.org": []}
    )
    magic_dns_domain: str = DOMAIN


@dataclass
class Path:
    """The tailnet's data path to the resolver: what serves it, and whether it is there."""

    handler: Any
    state: str = "up"
    dialled: list[tuple[str, int]] = field(default_factory=list)
    servers: list[DnsServer] = field(default_factory=list)

    async def dial(self, host: str, port: int) -> Any:
        """Connect to the resolver, or fail as the data path does."""
        self.dialled.append((host, port))
        if self.state == "offline":
            raise OSError(113, "resolver is offline")
        server = DnsServer(self.handler, "127.0.0.1")
        await server.start()
        self.servers.append(server)
        return await asyncio.open_connection("127.0.0.1", server.port)


async def split(query: Message, _: Client) -> Message | None:
    """Answer as a split-horizon resolver: the gateway's address for every A query."""
    response = reply(query, authoritative=True)
    if question(query)[1] == "A":
        response.answer = [rrset(question(query)[0], 30, "A", ["100.64.0.2"])]
    return response


@pytest.fixture
def path() -> Path:
    """Return a data path to that resolver."""
    return Path(split)


@pytest.fixture
def tailnet_dns(public: PublicDns, clock: Any, path: Path) -> Callable[..., TailnetDns]:
    """Return what makes MagicDNS of that tailnet."""
    return lambda **more: TailnetDns(FakeTailnet(), public.recurse, path.dial, clock, **more)


@pytest.fixture
def asked(path: Path, ask: Callable[..., str]) -> Callable[[TailnetDns, str], str]:
    """Return what asks it and shows the answer."""

    def show(server: TailnetDns, words: str) -> str:
        async def answered(query: Message, client: Client) -> Message | None:
            try:
                return await server.answer(query, client)
            finally:
                await asyncio.gather(*(opened.stop() for opened in path.servers))

        return ask(answered, words)

    return show


def test_names_go_where_they_belong(
    tailnet_dns: Callable[..., TailnetDns],
    asked: Callable[[TailnetDns, str], str],
    tailnet_case: list[str],
) -> None:
    """MagicDNS, the longest split domain that has servers, or the public DNS."""
    words, expected = tailnet_case

    assert asked(tailnet_dns(), words) == expected


def test_the_resolver_is_reached_through_the_tailnet(
    tailnet_dns: Callable[..., TailnetDns], asked: Callable[[TailnetDns, str], str], path: Path
) -> None:
    """DNS over TCP to port 53 of the tailnet address, and only for its domains."""
    server = tailnet_dns()
    asked(server, "www.example.net A")
    asked(server, "app.split.org A")

    assert path.dialled == [(RESOLVER, 53)]


def test_a_resolver_that_is_offline_is_servfail(
    tailnet_dns: Callable[..., TailnetDns], asked: Callable[[TailnetDns, str], str], path: Path
) -> None:
    """There is no way around split DNS: the public answer does not take its place."""
    path.state = "offline"

    assert asked(tailnet_dns(), "app.split.org A") == "SERVFAIL ra"


@pytest.mark.parametrize("said", [b"", b"\x00\x05nonsn"])
def test_a_resolver_that_stays_silent_or_talks_nonsense_is_servfail(
    tailnet_dns: Callable[..., TailnetDns], said: bytes
) -> None:
    """A name server that accepts and then says nothing, or no DNS, costs the patience."""
    server = tailnet_dns(patience=0.05)

    async def run() -> str:
        writers: list[asyncio.StreamWriter] = []

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            writer.write(said)

        far = await asyncio.start_server(accept, "127.0.0.1", 0)
        address = far.sockets[0].getsockname()
        server.dial = lambda _, __: asyncio.open_connection(*address)
        answer = await server.answer(dns.message.make_query("app.split.org", "A"), Client())
        far.close()
        writers[0].close()
        await writers[0].wait_closed()
        return answer.rcode().name if answer else "silence"

    assert asyncio.run(run()) == "SERVFAIL"


def test_a_machine_that_does_not_ask_again_gets_no_address(
    tailnet_dns: Callable[..., TailnetDns], asked: Callable[[TailnetDns, str], str]
) -> None:
    """F17: with a public CNAME into the tailnet, only the CNAME comes back to such a client."""
    server = tailnet_dns(chase_cnames=False)

    answer = asked(server, "to.example.net A")

    assert answer.split(" | ")[:2] == [
        "NXDOMAIN ra",
        "to.example.net. 300 CNAME gateway.ainu-herring.ts.net.",
    ]
