"""Asking one DNS server over UDP, and over TCP where an answer does not fit."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.message

from tailkeeper.adapters.prober.dialling import direct
from tailkeeper.adapters.prober.messages import is_cut
from tailkeeper.adapters.prober.nameservers import Nameserver


if TYPE_CHECKING:
    from dns.message import Message

    from tailkeeper.adapters.prober.patience import Patience

LARGEST = 65_535
Place = tuple[str, int]


@dataclass
class DatagramServer:
    """One server, with one connected socket for all questions to it; answers come by id.

    asyncio's datagram transport takes one datagram for each turn of the loop, and a turn in which
    others shake hands is long: this one takes all that have come.
    """

    socket: socket.socket
    stream: Nameserver
    _waiting: dict[int, tuple[Message, asyncio.Future[Message]]] = field(default_factory=dict)

    @classmethod
    def open(cls, place: Place) -> Self:
        """Return the server at (address, port); raise OSError where there is no way to it."""
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        connected = socket.socket(family, socket.SOCK_DGRAM)
        connected.setblocking(False)
        try:
            connected.connect(place)
        except OSError:
            connected.close()
            raise
        server = cls(connected, Nameserver(*place, direct))
        asyncio.get_running_loop().add_reader(connected, server._arrived)
        return server

    def close(self) -> None:
        """Close the sockets."""
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        self.stream.close()

    async def ask(self, query: Message, patience: Patience) -> Message:
        """Return the answer, however late; raise OSError when nobody listens, or NoAnswer."""
        answer = await self._datagram(query)
        if not is_cut(answer):
            return answer
        return (await self.stream.ask([query], patience))[query.id]

    async def _datagram(self, query: Message) -> Message:
        while query.id in self._waiting:
            query.id = (query.id + 1) % 65536
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[query.id] = query, answer
        try:
            self.socket.send(query.to_wire())
            return await answer
        finally:
            del self._waiting[query.id]

    def _arrived(self) -> None:
        """Take every datagram that has come, or the news that nobody listens there."""
        while True:
            try:
                self._take(self.socket.recv(LARGEST))
            except BlockingIOError:
                return
            except OSError as error:
                for _, answer in self._waiting.values():
                    if not answer.done():
                        answer.set_exception(error)
                return

    def _take(self, data: bytes) -> None:
        try:
            message = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        if message.id in self._waiting:
            query, answer = self._waiting[message.id]
            if query.is_response(message) and not answer.done():
                answer.set_result(message)
