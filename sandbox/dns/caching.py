"""A resolver's cache: what other people still believe after a record has changed."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.dns.wire import Client, Handler, Message, question, reply


if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.clock import Clock

CACHEABLE = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})


@dataclass(frozen=True)
class _Kept:
    message: Message
    at: float
    until: float


@dataclass
class CachingResolver:
    """Keeps answers for their TTL, and denials for the SOA's (RFC 2308), on the world's clock."""

    upstream: Handler
    clock: Clock
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)

    async def answer(self, query: Message, client: Client) -> Message | None:
        """Answer from the cache with the TTL that is left, else ask and remember."""
        key = question(query)
        kept = self._kept.get(key)
        now = self.clock.now()
        if kept and now < kept.until:
            return _aged(kept, query, now)
        response = await self.upstream(query, client)
        if response and (seconds := lifetime(response)):
            self._kept[key] = _Kept(copy.deepcopy(response), now, now + seconds)
        return response

    def flush(self, names: Iterable[str] | None = None) -> None:
        """Forget some names (with their final dot), or everything."""
        unwanted = None if names is None else {name.lower() for name in names}
        for key in list(self._kept):
            if unwanted is None or key[0] in unwanted:
                del self._kept[key]


def lifetime(response: Message) -> int:
    """Return for how many seconds an answer may be kept; 0 if it may not."""
    if response.rcode() not in CACHEABLE or response.flags & dns.flags.TC:
        return 0
    ttls = [rrset.ttl for rrset in response.answer]
    if _denies(response):
        ttls.append(negative_ttl(response.authority))
    return min(ttls, default=0)


def negative_ttl(authority: Iterable[dns.rrset.RRset]) -> int:
    """Return how long a denial may be kept: the smaller of the SOA's TTL and its minimum."""
    for rrset in authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            record: Any = rrset[0]
            return min(rrset.ttl, int(record.minimum))
    return 0


def _denies(response: Message) -> bool:
    asked = response.question[0].rdtype
    answered = any(rrset.rdtype in {asked, dns.rdatatype.HINFO} for rrset in response.answer)
    return response.rcode() == dns.rcode.NXDOMAIN or not answered


def _aged(kept: _Kept, query: Message, now: float) -> Message:
    response = reply(query, kept.message.rcode(), recursive=True)
    response.answer = copy.deepcopy(kept.message.answer)
    response.authority = copy.deepcopy(kept.message.authority)
    for rrset in [*response.answer, *response.authority]:
        rrset.ttl = max(0, rrset.ttl - int(now - kept.at))
    return response
