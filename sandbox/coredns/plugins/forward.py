"""https://coredns.io/plugins/forward: other name servers, asked in turn.

Here every upstream is asked at most once for a query; CoreDNS tries for five seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import dns.exception
import dns.rcode

from sandbox.coredns.request import Answer, Failure, Next, Request
from sandbox.coredns.zones import within
from sandbox.dns.wire import Message, reply


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.coredns.setup import Upstream


@dataclass
class Forward:
    """One `forward` directive."""

    zone: str
    servers: Sequence[tuple[str, int]]
    upstream: Upstream
    ignored: list[str] = field(default_factory=list)
    policy: str = "random"
    next_on: list[dns.rcode.Rcode] = field(default_factory=list)
    next_on_nodata: bool = False
    failover: list[dns.rcode.Rcode] = field(default_factory=list)
    successor: bool = False
    turn: Callable[[], int] = field(default_factory=lambda: count().__next__)
    name: str = "forward"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer with what an upstream says."""
        if not within(request.name, self.zone) or self._ignores(request.name):
            return await following(request)
        answer = await self._asked(request)
        if self.successor and isinstance(answer, Message) and self._yields(answer):
            return await following(request)
        return answer

    def _ignores(self, name: str) -> bool:
        return name != self.zone and any(within(name, zone) for zone in self.ignored)

    def _yields(self, answer: Message) -> bool:
        empty = answer.rcode() == dns.rcode.NOERROR and not answer.answer
        return answer.rcode() in self.next_on or (self.next_on_nodata and empty)

    async def _asked(self, request: Request) -> Answer:
        last: Answer = Failure(error="no healthy proxies")
        for host, port in self._order():
            try:
                response = await self.upstream(request.message, host, port)
            except (OSError, dns.exception.DNSException) as error:
                last = Failure(error=str(error))
                continue
            last = self._checked(request, response)
            if response.rcode() not in self.failover:
                return last
        return last

    def _order(self) -> list[tuple[str, int]]:
        servers = list(self.servers)
        if self.policy == "random":
            random.shuffle(servers)
        elif self.policy == "round_robin":
            first = self.turn() % len(servers)
            servers = servers[first:] + servers[:first]
        return servers

    @staticmethod
    def _checked(request: Request, response: Message) -> Message:
        """Return the response if it answers this question, else FORMERR, as CoreDNS does."""
        if response.id != request.message.id or response.question != request.message.question:
            return reply(request.message, dns.rcode.FORMERR)
        return response
