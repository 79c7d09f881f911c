"""Asking one DNS server over UDP, and over TCP where an answer does not fit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.message

from tailkeeper.adapters.prober.dialling import direct
from tailkeeper.adapters.prober.messages import is_cut
from tailkeeper.adapters.prober.nameservers import Nameserver


if TYPE_CHECKING:
    from dns.message import Message

    from tailkeeper.adapters.prober.patience import Patience

TRY = 2.0  # seconds for one datagram to come back
Place = tuple[str, int]


class _Socket(asyncio.DatagramProtocol):
    """One connected socket; answers find their questions by id."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[Message, asyncio.Future[Message]]] = {}

    def datagram_received(self, data: bytes, _: object) -> None:
        try:
            message = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        if message.id in self.waiting:
            query, answer = self.waiting[message.id]
            if query.is_response(message) and not answer.done():
                answer.set_result(message)

    def error_received(self, exc: Exception) -> None:
        for _, answer in self.waiting.values():
            if not answer.done():
                answer.set_exception(exc)


@dataclass
class DatagramServer:
    """One server, with a socket for all questions to it."""

    transport: asyncio.DatagramTransport
    socket: _Socket
    stream: Nameserver

    @classmethod
    async def open(cls, place: Place) -> Self:
        """Return the server at (address, port)."""
        loop = asyncio.get_running_loop()
        transport, socket = await loop.create_datagram_endpoint(_Socket, remote_addr=place)
        return cls(transport, socket, Nameserver(*place, direct))

    def close(self) -> None:
        """Close the sockets."""
        self.transport.abort()
        self.stream.close()

    async def ask(self, query: Message, patience: Patience) -> Message:
        """Return the answer; raise OSError, TimeoutError included, or NoAnswer."""
        answer = await self._datagram(query)
        if not is_cut(answer):
            return answer
        return (await self.stream.ask([query], patience))[query.id]

    async def _datagram(self, query: Message) -> Message:
        while query.id in self.socket.waiting:
            query.id = (query.id + 1) % 65536
        answer = asyncio.get_running_loop().create_future()
        self.socket.waiting[query.id] = query, answer
        try:
            self.transport.sendto(query.to_wire())
            async with asyncio.timeout(TRY):
                received: Message = await answer
                return received
        finally:
            del self.socket.waiting[query.id]
