"""What 100.100.100.100 answers on a machine of the tailnet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset

from sandbox.dns.client import Dial, ask_through
from sandbox.dns.public import bare
from sandbox.dns.records import rrset
from sandbox.dns.wire import Client, Handler, Message, question, reply


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.clock import Clock

MAGIC_TTL = 600  # seconds, tailscaled's own
CHAIN = 8
VERSIONS = {4: "A", 6: "AAAA"}


class Tailnet(Protocol):
    """What MagicDNS knows of the tailnet; `sandbox.tailscale` has all four."""

    @property
    def devices(self) -> Sequence[Mapping[str, Any]]:
        """Devices in the wire format of Tailscale's API."""

    @property
    def services(self) -> Sequence[Mapping[str, Any]]:
        """Tailscale Services in the wire format of Tailscale's API."""

    @property
    def split_dns(self) -> Mapping[str, Sequence[str]]:
        """Domains and the addresses of their name servers."""

    @property
    def magic_dns_domain(self) -> str:
        """The tailnet's own domain, such as `ainu-herring.ts.net`."""


@dataclass
class TailnetDns:
    """MagicDNS, split DNS, and the public DNS for the rest.

    `dial` opens TCP connections through the tailnet; a name server that it cannot reach, or that
    stays silent for `patience` seconds of the world, gives SERVFAIL.

    `chase_cnames`: a public CNAME to a name of the tailnet comes back from 100.100.100.100 without
    an address; whether the machine then has one depends on its own resolver (tailscale#7650: Apple
    systems ask again, glibc and Windows do not). True plays a machine that does, False one that
    does not.
    """

    tailnet: Tailnet
    public: Handler
    dial: Dial
    clock: Clock
    chase_cnames: bool = True
    patience: float = 10.0

    async def answer(self, query: Message, client: Client) -> Message | None:
        """Answer a query of this machine."""
        response = await self._routed(query, client)
        if response and self.chase_cnames:
            await self._chase(response, client)
        return response

    async def _routed(self, query: Message, client: Client) -> Message | None:
        name = bare(question(query)[0])
        if self._is_magic(name):
            return self._magic(query, name)
        if (owner := self._owner(query)) is not None:
            response = reply(query, authoritative=True, recursive=True)
            response.answer = [rrset(f"{name}.", MAGIC_TTL, "PTR", [owner])]
            return response
        if servers := self._split(name):
            return await self._forward(query, servers)
        return await self.public(query, client)

    def _is_magic(self, name: str) -> bool:
        domain = bare(self.tailnet.magic_dns_domain)
        return name == domain or name.endswith(f".{domain}")

    def _magic(self, query: Message, name: str) -> Message:
        """Answer for a device, connected or not, or a Service; other types have no data."""
        addresses = self._addresses(name)
        exists = addresses or name == bare(self.tailnet.magic_dns_domain)
        rcode = dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN
        response = reply(query, rcode, authoritative=True, recursive=True)
        rtype = question(query)[1]
        wanted = [a for a in addresses if VERSIONS[ip_address(a).version] == rtype]
        if wanted:
            response.answer = [rrset(f"{name}.", MAGIC_TTL, rtype, wanted)]
        return response

    def _addresses(self, name: str) -> list[str]:
        for device in self.tailnet.devices:
            if bare(str(device["name"])) == name:
                return list(device["addresses"])
        label = name.removesuffix(f".{bare(self.tailnet.magic_dns_domain)}")
        named = (s for s in self.tailnet.services if s["name"] == f"svc:{label}")
        return [address for service in named for address in service["addrs"]]

    def _owner(self, query: Message) -> str | None:
        """Return the name of the device whose address a PTR query asks about."""
        if question(query)[1] != "PTR":
            return None
        try:
            address = dns.reversename.to_address(query.question[0].name)
        except (dns.exception.DNSException, ValueError):
            return None
        owned = (d for d in self.tailnet.devices if address in d["addresses"])
        return next((str(device["name"]) for device in owned), None)

    def _split(self, name: str) -> Sequence[str]:
        """Return the name servers of the longest split-DNS domain that holds the name."""
        domains = {bare(domain): servers for domain, servers in self.tailnet.split_dns.items()}
        return next((domains[above] for above in _upwards(name) if domains.get(above)), [])

    async def _forward(self, query: Message, servers: Sequence[str]) -> Message:
        for server in servers:
            try:
                asking = ask_through(self.dial, query, server, 53)
                return await asyncio.wait_for(asking, self.clock.real(self.patience))
            except (OSError, dns.exception.DNSException):
                continue
        return reply(query, dns.rcode.SERVFAIL, recursive=True)

    async def _chase(self, response: Message, client: Client) -> None:
        """Complete an answer that ends in a CNAME, as a resolver that asks again would."""
        asked = response.question[0].rdtype
        for _ in range(CHAIN):
            last = response.answer[-1] if response.answer else None
            if last is None or last.rdtype != dns.rdatatype.CNAME or asked == last.rdtype:
                return
            again = dns.message.make_query(_target(last), asked)
            rest = await self._routed(again, client)
            if rest is None or not rest.answer:
                return
            response.answer += rest.answer
            response.set_rcode(rest.rcode())


def _target(alias: dns.rrset.RRset) -> dns.name.Name:
    record: Any = alias[0]
    target: dns.name.Name = record.target
    return target


def _upwards(name: str) -> Iterator[str]:
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))
