"""https://coredns.io/plugins/cache: answers kept for their TTL, within bounds.

What surprises: every record of an answer gets one TTL, the smallest of them, at least 5 s and at
most the plugin's; SERVFAIL that a plugin wrote is kept for 5 s; one that the server had to write
for a plugin is not kept.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import dns.flags
import dns.rcode
import dns.rdatatype

from sandbox.coredns.plugins.rewrite_records import with_ttls
from sandbox.coredns.request import Answer, Failure, Next, Request
from sandbox.coredns.zones import matching
from sandbox.dns.wire import Message, reply


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.setup import Time


SHORTEST, LONGEST = 5, 3600
LONGEST_DENIAL = LONGEST // 2


@dataclass(frozen=True)
class Bounds:
    """TTLs of one kind of answer, in seconds, and the zones that are not kept."""

    most: int
    least: int = SHORTEST
    disabled: Sequence[str] = ()


@dataclass(frozen=True)
class Kept:
    """An answer in the cache."""

    message: Message
    ttl: float
    at: float


@dataclass
class Cache:
    """The cache of one server block."""

    clock: Time
    zones: Sequence[str]
    success: Bounds = field(default_factory=lambda: Bounds(LONGEST))
    denial: Bounds = field(default_factory=lambda: Bounds(LONGEST_DENIAL))
    servfail: float = SHORTEST
    stale: float = 0
    verify: bool = False
    keep_ttl: bool = False
    kept: dict[tuple[str, str, bool, bool], Kept] = field(default_factory=dict)
    name: str = "cache"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer from the cache, or ask and keep."""
        if matching(self.zones, request.name) is None:
            return await following(request)
        kept = self.kept.get(_key(request))
        age = self.clock.now() - kept.at if kept else 0
        if kept and age < kept.ttl:
            return _served(kept, request, kept.ttl if self.keep_ttl else kept.ttl - age)
        answer = self._remembered(request, await following(request))
        if kept and age < kept.ttl + self.stale and self._prefers_stale(answer):
            return _served(kept, request, 0)
        return answer

    def _prefers_stale(self, answer: Answer) -> bool:
        if not self.verify:
            return True
        good = {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}
        return not isinstance(answer, Message) or answer.rcode() not in good

    def _remembered(self, request: Request, answer: Answer) -> Answer:
        """Keep an answer if it may be kept; return it with the TTL that it is kept for."""
        if answer is None or isinstance(answer, Failure):
            return answer
        kind = self._kind(answer)
        if kind is None or answer.flags & dns.flags.TC:
            return answer
        ttl = self._ttl(answer, kind)
        capped = _with_ttl(answer, int(ttl))
        if ttl > 0 and matching(kind.disabled, request.name) is None:
            self.kept[_key(request)] = Kept(capped, ttl, self.clock.now())
        return copy.deepcopy(capped)

    def _kind(self, answer: Message) -> Bounds | None:
        """Return the bounds for this answer, or None when it is never kept."""
        rcode = answer.rcode()
        denied = any(rrset.rdtype == dns.rdatatype.SOA for rrset in answer.authority)
        if rcode in {dns.rcode.SERVFAIL, dns.rcode.NOTIMP}:
            return replace(self.denial, most=0)
        if rcode == dns.rcode.NOERROR:
            return self.denial if denied and not answer.answer else self.success
        return self.denial if rcode == dns.rcode.NXDOMAIN and denied else None

    def _ttl(self, answer: Message, kind: Bounds) -> float:
        if kind.most == 0:
            return self.servfail
        sections = [*answer.answer, *answer.authority, *answer.additional]
        lowest = min((rrset.ttl for rrset in sections), default=SHORTEST)
        return min(max(min(lowest, LONGEST), kind.least), kind.most)


def _key(request: Request) -> tuple[str, str, bool, bool]:
    wants_dnssec = bool(request.message.ednsflags & dns.flags.DO)
    checking_disabled = bool(request.message.flags & dns.flags.CD)
    return (request.name, request.rtype, wants_dnssec, checking_disabled)


def _with_ttl(answer: Message, ttl: int) -> Message:
    changed = copy.copy(answer)
    sections = [with_ttls(section, ttl) for section in answer.sections[1:]]
    changed.sections = [answer.sections[0], *sections]
    return changed


def _served(kept: Kept, request: Request, ttl: float) -> Message:
    response = reply(request.message, kept.message.rcode())
    keep = dns.flags.AA | dns.flags.RA | dns.flags.AD
    response.flags |= kept.message.flags & keep
    response.sections[1:] = [with_ttls(s, int(ttl)) for s in kept.message.sections[1:]]
    return response
