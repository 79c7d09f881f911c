"""What `rewrite` changes in an answer: owner names, names within records, TTLs, the rcode."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from sandbox.dns.wire import Message


Change = Callable[[Message], None]
Spell = Callable[[str], str]

# Where a record of each type holds a name.
TARGETS = {
    dns.rdatatype.CNAME: "target", dns.rdatatype.DNAME: "target", dns.rdatatype.NS: "target",
    dns.rdatatype.PTR: "target", dns.rdatatype.SRV: "target", dns.rdatatype.MX: "exchange",
    dns.rdatatype.NAPTR: "replacement", dns.rdatatype.SOA: "mname",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Spells names anew, in owners and in values."""

    spell: Spell
    owners: bool = True
    values: bool = True

    def __call__(self, response: Message) -> None:
        """Change every record but the question."""
        for number in (1, 2, 3):
            response.sections[number] = [self._renamed(r) for r in response.sections[number]]

    def _renamed(self, rrset: dns.rrset.RRset) -> dns.rrset.RRset:
        owner = self._name(rrset.name) if self.owners else rrset.name
        rdatas = [self._retargeted(rdata) if self.values else rdata for rdata in rrset]
        return dns.rrset.from_rdata_list(owner, rrset.ttl, rdatas)

    def _retargeted(self, rdata: dns.rdata.Rdata) -> dns.rdata.Rdata:
        part = TARGETS.get(rdata.rdtype)
        return rdata.replace(**{part: self._name(getattr(rdata, part))}) if part else rdata

    def _name(self, name: dns.name.Name) -> dns.name.Name:
        old = name.to_text().lower()
        new = self.spell(old)
        return name if new == old else dns.name.from_text(new)


@dataclass(frozen=True)
class Ttl:
    """Keeps TTLs between two bounds, in seconds."""

    least: int
    most: int

    def __call__(self, response: Message) -> None:
        """Change every record's TTL."""
        for number in (1, 2, 3):
            response.sections[number] = [
                _with_ttl(rrset, min(max(rrset.ttl, self.least), self.most))
                for rrset in response.sections[number]
            ]


@dataclass(frozen=True)
class Rcode:
    """Exchanges one rcode for another."""

    old: dns.rcode.Rcode
    new: dns.rcode.Rcode

    def __call__(self, response: Message) -> None:
        """Change the rcode if it is the old one."""
        if response.rcode() == self.old:
            response.set_rcode(self.new)


def with_ttls(rrsets: Iterable[dns.rrset.RRset], ttl: int) -> list[dns.rrset.RRset]:
    """Return copies of record sets with another TTL."""
    return [_with_ttl(rrset, ttl) for rrset in rrsets]


def _with_ttl(rrset: dns.rrset.RRset, ttl: int) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(rrset.name, ttl, list(rrset))
