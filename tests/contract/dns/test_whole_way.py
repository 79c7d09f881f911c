"""The stand-ins together: a client asks 100.100.100.100, and CoreDNS answers in the end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode

from sandbox.coredns import COREFILE, CoreDNS
from sandbox.dns import PublicDns, TailnetDns, ask, serve
from sandbox.tailnet.datapath import DataPath
from sandbox.tailscale import Tailscale


if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.dns import Tailnet
    from sandbox.dns.wire import Message

CORE = """\
example.com {
    errors
    hosts /etc/coredns/tailkeeper/hosts example.com {
        ttl 30
        reload 5s
        fallthrough
    }
    forward . 1.1.1.1
    cache 30
}
"""


class Way:
    """A running tailnet of a gateway and a resolver, and a client's socket to its DNS."""

    def __init__(self, public: PublicDns, clock: Any) -> None:
        self.tailscale = Tailscale()
        self.gateway = self.tailscale.register("gateway", tags=["tag:k8s"])
        self.resolver = self.tailscale.register("resolver", tags=["tag:k8s"])
        self.path = DataPath(self.tailscale)
        hosts = f"{self.gateway['addresses'][0]} app.example.com\n"
        self.files = {COREFILE: CORE, "/etc/coredns/tailkeeper/hosts": hosts}

        async def upstream(query: Message, _: str, __: int) -> Message:
            return await public.recurse(query)

        self.coredns = CoreDNS(self.files, clock, upstream)
        tailnet: Tailnet = self.tailscale
        self.dns = TailnetDns(tailnet, public.recurse, self.path.dial, clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Serve; yield the port of 100.100.100.100."""
        self.coredns.start()
        self.tailscale.split_dns["example.com"] = [self.resolver["addresses"][0]]
        inner = await serve(self.coredns.answer)
        outer = await serve(self.dns.answer)
        connect = lambda: asyncio.open_connection("127.0.0.1", inner.port)  # noqa: E731 - one line
        self.path.listen(self.resolver["nodeId"], 53, connect)
        yield outer.port
        await outer.stop()
        await inner.stop()


async def told(port: int, name: str, rtype: str = "A") -> str:
    """Return the rcode and the records' contents that a client gets."""
    answer = await ask(dns.message.make_query(name, rtype), "127.0.0.1", port)
    contents = [rdata.to_text() for rrset in answer.answer for rdata in rrset]
    return " ".join([dns.rcode.to_text(answer.rcode()), *contents])


def test_a_name_is_answered_through_split_dns(public: PublicDns, clock: Any) -> None:
    """An exposure by its hosts entry, without leaking other types; the rest as published."""

    async def run() -> list[str]:
        way = Way(public, clock)
        async with way.open() as port:
            asked = [("app.example.com", "A"), ("app.example.com", "HTTPS")]
            asked += [("docs.example.com", "A"), ("none.example.com", "A")]
            return [await told(port, *words) for words in asked]

    assert asyncio.run(run()) == [
        "NOERROR 100.64.0.1",
        "NOERROR",
        "NOERROR docs.pages.dev. 172.66.44.10",
        "NXDOMAIN",
    ]


def test_a_moved_gateway_is_followed_when_the_data_is(public: PublicDns, clock: Any) -> None:
    """The old address stands until the hosts file changes and the cache forgets."""

    async def run() -> list[str]:
        way = Way(public, clock)
        async with way.open() as port:
            seen = [await told(port, "app.example.com")]
            way.tailscale.disconnect(way.gateway["nodeId"])
            moved = way.tailscale.register("gateway", tags=["tag:k8s"])
            seen.append(await told(port, moved["name"]))
            seen.append(await told(port, "app.example.com"))
            address = moved["addresses"][0]
            way.files["/etc/coredns/tailkeeper/hosts"] = f"{address} app.example.com\n"
            way.coredns.refresh_now()
            clock.offset[0] = 31
            seen.append(await told(port, "app.example.com"))
            return [*seen, address]

    old, magic, stale, new, address = asyncio.run(run())

    assert (old, stale) == ("NOERROR 100.64.0.1", "NOERROR 100.64.0.1")
    assert (magic.split()[1], new) == (address, f"NOERROR {address}")


def test_without_its_resolver_the_domain_is_dark(public: PublicDns, clock: Any) -> None:
    """S7: when the resolver's device goes, split DNS has no other way, and MagicDNS still works."""

    async def run() -> list[str]:
        way = Way(public, clock)
        async with way.open() as port:
            way.tailscale.disconnect(way.resolver["nodeId"])
            names = ["app.example.com", "docs.example.com", way.gateway["name"]]
            return [await told(port, name) for name in names]

    assert asyncio.run(run())[:2] == ["SERVFAIL", "SERVFAIL"]
