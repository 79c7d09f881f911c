"""A zone as a master file holds it (RFC 1035), and what it says of a name (RFC 4592)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.rrset
import dns.zone

from sandbox.coredns.errors import CorefileError
from sandbox.coredns.zones import within


SOA, NS, CNAME = dns.rdatatype.SOA, dns.rdatatype.NS, dns.rdatatype.CNAME
Sets = dict[dns.rdatatype.RdataType, dns.rrset.RRset]


@dataclass
class Zone:
    """The records of one zone, by owner name (lower case, final dot) and type."""

    origin: str
    nodes: dict[str, Sets] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, origin: str, path: str) -> Zone:
        """Read a master file; raise CorefileError for a broken one or one without SOA."""
        zone = cls(origin)
        try:
            read = dns.zone.from_text(text, origin, relativize=False, check_origin=False)
            for name, rdataset in read.iterate_rdatasets():
                rrset = dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
                zone.nodes.setdefault(name.to_text().lower(), {})[rrset.rdtype] = rrset
        except (dns.exception.DNSException, ValueError) as error:
            raise CorefileError(f"dns: {path}: {error}") from error
        if SOA not in zone.nodes.get(origin, {}):
            raise CorefileError(f'file "{path}" has no SOA record for origin {origin}')
        return zone

    @property
    def soa(self) -> dns.rrset.RRset:
        """The SOA record."""
        return self.nodes[self.origin][SOA]

    @property
    def serial(self) -> int:
        """The SOA's serial number."""
        record: Any = self.soa[0]
        return int(record.serial)

    def node(self, name: str) -> Sets | None:
        """Return a name's records, a wildcard's if one stands for it, or None: no such name."""
        if name in self.nodes:
            return self.nodes[name]
        if any(within(other, name) for other in self.nodes):
            return {}
        closest = name.partition(".")[2]
        while closest and not any(within(other, closest) for other in self.nodes):
            closest = closest.partition(".")[2]
        wild = self.nodes.get(f"*.{closest}")
        return wild and {rtype: _owned(name, rrset) for rtype, rrset in wild.items()}

    def delegation(self, name: str) -> dns.rrset.RRset | None:
        """Return the NS records of a cut between the apex and the name."""
        cuts = (other for other in self.nodes if other != self.origin and within(name, other))
        cut = min((c for c in cuts if NS in self.nodes[c]), key=len, default=None)
        return self.nodes[cut][NS] if cut else None


def _owned(name: str, rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(dns.name.from_text(name), rrset.ttl, list(rrset))
