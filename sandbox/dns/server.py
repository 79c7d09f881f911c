"""One DNS server on loopback: UDP and TCP on the same port."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, cast

from sandbox.dns.wire import Client, Handler, respond


IDLE = 10.0  # seconds a quiet TCP connection is kept (RFC 7766 leaves the choice to the server)
ATTEMPTS = 20  # a port that is free for TCP may be taken for UDP


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(
            "asyncio.DatagramTransport", transport
        )  # asyncio's is not one by class

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.server.track(asyncio.ensure_future(self._answer(data, addr)))

    async def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = await respond(data, self.server.handler, Client(addr[0], addr[1], "udp"))
        if answer is not None and self.transport and not self.transport.is_closing():
            self.transport.sendto(answer, addr)


@dataclass
class DnsServer:
    """A running server; `host` and `port` say where it listens."""

    handler: Handler
    host: str
    port: int = 0
    _tasks: set[asyncio.Future[None]] = field(default_factory=set)
    _tcp: asyncio.Server | None = None
    _udp: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen; raise OSError when the port is taken."""
        for attempt in range(ATTEMPTS):
            try:
                await self._listen()
            except OSError:
                if self.port or attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    async def stop(self) -> None:
        """Close both sockets and every open connection."""
        if self._udp:
            self._udp.close()
        if self._tcp:
            self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tcp:
            await self._tcp.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def track(self, task: asyncio.Future[None]) -> None:
        """Remember work under way, so that `stop` ends it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        tcp = await asyncio.start_server(self._connected, self.host, self.port)
        port = tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        try:
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(self.host, port)
            )
        except OSError:
            tcp.close()
            raise
        self._tcp, self.port = tcp, port

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.track(asyncio.ensure_future(self._connection(reader, writer)))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, EOFError):
                await self._converse(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer query after query until the client leaves (RFC 7766)."""
        address, port = writer.get_extra_info("peername")[:2]
        while True:
            wire = await asyncio.wait_for(read_framed(reader), IDLE)
            answer = await respond(wire, self.handler, Client(address, port, "tcp"))
            if answer is None:
                return
            writer.write(framed(answer))
            await writer.drain()


async def serve(handler: Handler, host: str = "127.0.0.1", port: int = 0) -> DnsServer:
    """Start a UDP and TCP server for `handler`; port 0 takes one that is free for both."""
    server = DnsServer(handler, host, port)
    await server.start()
    return server


def framed(wire: bytes) -> bytes:
    """Return a message with its length in front, as TCP carries it."""
    return struct.pack("!H", len(wire)) + wire


async def read_framed(reader: asyncio.StreamReader) -> bytes:
    """Read one message from a TCP stream; raise EOFError when the stream ends."""
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)
