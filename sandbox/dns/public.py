"""What the internet answers: the zones' own servers, and everybody else's resolver.

A name server of a zone says what the zone says and stops where a CNAME leaves it. A resolver goes
on to the end. `PublicDns.answer` is the first for our zones (with AA) and the second for the rest;
`PublicDns.recurse` is the second for everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import dns.flags
import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.dns.records import rrset, rrset_of
from sandbox.dns.wire import Client, Message, question, reply


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


CHAIN = 8  # CNAMEs followed, as resolvers limit them
ELSEWHERE_TTL = 300
ADDRESSES = ("A", "AAAA")


class Zone(Protocol):
    """A zone that Cloudflare serves."""

    @property
    def name(self) -> str:
        """The apex, without a final dot."""

    @property
    def name_servers(self) -> Sequence[str]:
        """The servers of the delegation."""


class Zones(Protocol):
    """The account behind the zones: `sandbox.cloudflare`, or anything with the same three."""

    def zone_of(self, name: str) -> Zone | None:
        """Return the closest zone at or above a name."""

    def lookup(self, name: str, rtype: str) -> Sequence[Mapping[str, Any]]:
        """Return the records of one type, wildcards and the proxy's edge included."""

    def exists(self, name: str) -> bool:
        """Say whether a name, a wildcard for it, or a name below it has records."""


@dataclass(frozen=True)
class Found:
    """The outcome of a look-up; `leaves` is the CNAME target that was not followed."""

    answer: list[dns.rrset.RRset] = field(default_factory=list)
    authority: list[dns.rrset.RRset] = field(default_factory=list)
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    leaves: str = ""
    authoritative: bool = True


@dataclass
class PublicDns:
    """The public DNS of the world.

    `elsewhere` holds what other people publish: name to type to contents in zone-file form, such
    as `{"docs.pages.dev": {"A": ["172.66.44.1"]}}`; any other name outside the zones does not
    exist. So a `*.ts.net` name is NXDOMAIN here, as it is on the internet without Funnel.
    """

    zones: Zones
    elsewhere: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    async def answer(self, query: Message, _: Client | None = None) -> Message:
        """Answer as the zone's own servers do; resolve other names if recursion is desired."""
        name, rtype = question(query)
        zone = self.zones.zone_of(bare(name))
        if zone is None:
            return await self.recurse(query)
        found = self._in_zone(zone, bare(name), rtype)
        if found.leaves and query.flags & dns.flags.RD:
            found = self._with_tail(found, rtype)
        return _message(query, found, recursive=False)

    async def recurse(self, query: Message, _: Client | None = None) -> Message:
        """Answer as a public resolver does, without its cache."""
        if not query.flags & dns.flags.RD:
            return reply(query, dns.rcode.REFUSED, recursive=True)
        name, rtype = question(query)
        found = replace(self.resolve(bare(name), rtype), authoritative=False)
        return _message(query, found, recursive=True)

    def resolve(self, name: str, rtype: str) -> Found:
        """Follow CNAMEs to the end; the rcode is the last name's (RFC 6604)."""
        answer: list[dns.rrset.RRset] = []
        for _ in range(CHAIN):
            zone = self.zones.zone_of(name)
            found = self._in_zone(zone, name, rtype) if zone else self._elsewhere(name, rtype)
            answer += found.answer
            if not found.leaves:
                return replace(found, answer=answer)
            name = found.leaves
        return Found(rcode=dns.rcode.SERVFAIL, authoritative=False)

    def _with_tail(self, found: Found, rtype: str) -> Found:
        """Add what other zones say of a CNAME's target; the zone's own word stays NOERROR."""
        tail = self.resolve(found.leaves, rtype)
        return replace(found, answer=found.answer + tail.answer)

    def _in_zone(self, zone: Zone, name: str, rtype: str) -> Found:
        answer: list[dns.rrset.RRset] = []
        for _ in range(CHAIN):
            found = self._one_name(zone, name, rtype)
            answer += found.answer
            if not found.leaves or self.zones.zone_of(found.leaves) != zone:
                return replace(found, answer=answer)
            name = found.leaves
        return Found(rcode=dns.rcode.SERVFAIL, authoritative=False)

    def _one_name(self, zone: Zone, name: str, rtype: str) -> Found:
        """Answer for one owner name of a zone, following nothing."""
        if cut := self._delegation(zone, name):
            return Found(authority=[cut], authoritative=False)
        if not self.zones.exists(name) and name != zone.name:
            return Found(authority=[soa(zone)], rcode=dns.rcode.NXDOMAIN)
        if records := self._records(zone, name, rtype):
            return Found([records])
        alias = self.zones.lookup(name, "CNAME")
        if not alias or rtype == "CNAME":
            return Found(authority=[soa(zone)])
        if name == zone.name or alias[0].get("settings", {}).get("flatten_cname"):
            return self._flattened(zone, name, rtype, str(alias[0]["content"]))
        return Found([rrset_of(name, [alias[0]])], leaves=bare(str(alias[0]["content"])))

    def _records(self, zone: Zone, name: str, rtype: str) -> dns.rrset.RRset | None:
        if name == zone.name and rtype == "SOA":
            return soa(zone)
        if name == zone.name and rtype == "NS":
            return rrset(name, 86400, "NS", zone.name_servers)
        if rtype == "ANY":
            return rrset(name, 3789, "HINFO", ['"RFC8482" ""'])
        records = self.zones.lookup(name, rtype)
        if rtype == "CNAME" and name == zone.name:
            return None
        return rrset_of(name, list(records)) if records else None

    def _delegation(self, zone: Zone, name: str) -> dns.rrset.RRset | None:
        """Return the NS records of a child zone at or above the name, which is not ours then."""
        for child in children(zone.name, name):
            if servers := self.zones.lookup(child, "NS"):
                return rrset_of(child, list(servers))
        return None

    def _flattened(self, zone: Zone, name: str, rtype: str, target: str) -> Found:
        """Answer a CNAME as the addresses behind it, as Cloudflare does at the apex."""
        behind = self.resolve(bare(target), rtype) if rtype in ADDRESSES else Found()
        if not behind.answer or behind.answer[-1].rdtype != dns.rdatatype.from_text(rtype):
            return Found(authority=[soa(zone)])
        last = behind.answer[-1]
        return Found([rrset(name, last.ttl, rtype, [rdata.to_text() for rdata in last])])

    def _elsewhere(self, name: str, rtype: str) -> Found:
        types = self.elsewhere.get(name)
        parent = [soa_elsewhere(name)]
        if types is None:
            below = any(other.endswith(f".{name}") for other in self.elsewhere)
            rcode = dns.rcode.NOERROR if below else dns.rcode.NXDOMAIN
            return Found(authority=parent, rcode=rcode)
        if rtype in types:
            return Found([rrset(name, ELSEWHERE_TTL, rtype, types[rtype])])
        if "CNAME" in types:
            alias = rrset(name, ELSEWHERE_TTL, "CNAME", types["CNAME"])
            return Found([alias], leaves=bare(types["CNAME"][0]))
        return Found(authority=parent)


def soa(zone: Zone) -> dns.rrset.RRset:
    """Return the SOA record that Cloudflare gives a zone; negative answers live 1,800 s."""
    first = zone.name_servers[0]
    content = f"{first} dns.cloudflare.com 2361234567 10000 2400 604800 1800"
    return rrset(zone.name, 1800, "SOA", [content])


def soa_elsewhere(name: str) -> dns.rrset.RRset:
    """Return the SOA of whoever says that a name outside the zones does not exist."""
    apex = ".".join(name.split(".")[-2:])
    content = f"ns1.{apex} hostmaster.{apex} 1 7200 900 1209600 {ELSEWHERE_TTL}"
    return rrset(apex, ELSEWHERE_TTL, "SOA", [content])


def children(apex: str, name: str) -> list[str]:
    """Return the names between a zone's apex and a name, topmost first, the name included."""
    labels = name.removesuffix(apex).rstrip(".").split(".") if name != apex else []
    return [".".join([*labels[start:], apex]) for start in reversed(range(len(labels)))]


def bare(name: str) -> str:
    """Return a name in lower case without its final dot."""
    return name.lower().removesuffix(".")


def _message(query: Message, found: Found, *, recursive: bool) -> Message:
    response = reply(query, found.rcode, authoritative=found.authoritative, recursive=recursive)
    response.answer = list(found.answer)
    response.authority = list(found.authority)
    return response
