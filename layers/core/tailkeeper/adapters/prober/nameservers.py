"""Asking one DNS server many things over few TCP connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.message

from tailkeeper.adapters.prober.dialling import Dial, Streams, hang_up
from tailkeeper.adapters.prober.messages import framed, read_framed
from tailkeeper.adapters.prober.patience import ENOUGH, STEP, Patience, Silences


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.message import Message

LINES = 16  # connections to one server
TOGETHER = 3  # questions on their way at once on one connection


class NoAnswer(Exception):
    """The server took a question and gave no answer."""


@dataclass
class Nameserver:
    """One server, whose connections are kept while it keeps them.

    A server may close after any answer (RFC 7766, 6.2.3; CoreDNS does after 128): what is left is
    asked again. One that closes before it has answered all that came together is asked one by one.
    """

    host: str
    port: int
    dial: Dial
    _together: int = TOGETHER
    _idle: list[Streams] = field(default_factory=list)
    _line: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LINES))
    _silences: Silences = field(default_factory=Silences)

    async def ask(self, queries: Sequence[Message], patience: Patience) -> dict[int, Message]:
        """Return the answers by the queries' ids; raise NoAnswer, or what `dial` raises."""
        await patience.in_line(self._line)
        try:
            answers: dict[int, Message] = {}
            while left := [query for query in queries if query.id not in answers]:
                answers |= await self._some(left[: self._together], patience)
            return answers
        finally:
            self._line.release()

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            hang_up(self._idle.pop())

    async def _some(self, queries: list[Message], patience: Patience) -> dict[int, Message]:
        """Return the answers that one connection gives; raise NoAnswer when it is no use."""
        if self._silences.gave_up(self.host):
            raise NoAnswer(f"let {ENOUGH} wait in vain")
        fresh = not self._idle
        streams = await self.dial(self.host, self.port, patience) if fresh else self._idle.pop()
        answers: dict[int, Message] = {}
        try:
            async with patience.step():
                await _exchanged(streams, queries, answers)
        except TimeoutError:
            self._silences.miss(self.host)
            raise NoAnswer(f"does not answer within {STEP:.0f} s") from None
        except dns.exception.DNSException as error:
            raise NoAnswer("answers with what is no DNS message") from error
        except (OSError, EOFError) as error:
            if fresh and not answers and len(queries) == 1:
                raise NoAnswer("hangs up without an answer") from error
            self._together = 1 if fresh else self._together
        else:
            self._silences.hit(self.host)
            self._idle.append(streams)
            return answers
        finally:
            if streams not in self._idle:
                hang_up(streams)
        return answers


async def _exchanged(
    streams: Streams, queries: Sequence[Message], answers: dict[int, Message]
) -> None:
    """Send queries together, and put the answers, in whatever order they come, into `answers`."""
    streams[1].write(b"".join(map(framed, queries)))
    await streams[1].drain()
    waiting = {query.id: query for query in queries}
    while waiting:
        message = dns.message.from_wire(await read_framed(streams[0]))
        if message.id in waiting and waiting[message.id].is_response(message):
            answers[message.id] = message
            del waiting[message.id]
