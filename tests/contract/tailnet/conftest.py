"""A tailnet of two devices and a laptop, an echo server behind one of them, the proxy in front."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tailnet.datapath import DataPath
from sandbox.tailnet.proxy import Proxy


if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

DOMAIN = "ainu-herring.ts.net"


def device(node_id: str, name: str, *, connected: bool = True, number: int = 1) -> dict[str, Any]:
    """Return a device in the wire format's words, as far as the data path reads it."""
    return {
        "nodeId": node_id,
        "name": f"{name}.{DOMAIN}",
        "addresses": [f"100.64.0.{number}", f"fd7a:115c:a1e0::{number}"],
        "connectedToControl": connected,
    }


@dataclass
class FakeTailnet:
    """The control plane's part of the data path, as values."""

    devices: list[dict[str, Any]] = field(
        default_factory=lambda: [
            device("n1", "gateway", number=1),
            device("n2", "gateway-old", connected=False, number=2),
            device("n3", "laptop", number=3),
        ]
    )
    services: list[dict[str, Any]] = field(default_factory=list)
    magic_dns_domain: str = DOMAIN


@dataclass
class Rig:
    """The running proxy and what a test turns in it."""

    tailnet: FakeTailnet
    path: DataPath
    proxy: Proxy
    echo_port: int
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the proxy; the connection is closed when the test ends."""
        streams = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        self.clients.append(streams[1])
        return streams

    async def socks(self, address: bytes, port: int = 443, *, command: int = 1) -> tuple[int, Any]:
        """Ask for a connection to a SOCKS5 address; return the reply code and the streams."""
        reader, writer = await self.connect()
        writer.write(b"\x05\x01\x00" + bytes([5, command, 0]) + address + port.to_bytes(2, "big"))
        assert await reader.readexactly(2) == b"\x05\x00"
        return (await reader.readexactly(10))[1], (reader, writer)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1024):
        writer.write(chunk)
    writer.write(b"(end)")
    writer.close()


@asynccontextmanager
async def _rig() -> AsyncIterator[Rig]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tailnet = FakeTailnet()
    path = DataPath(tailnet)
    for node_id in ("n1", "n2"):
        path.listen(node_id, 443, lambda: asyncio.open_connection("127.0.0.1", port))
    proxy = Proxy(path)
    await proxy.start()
    rig = Rig(tailnet, path, proxy, port)
    try:
        yield rig
    finally:
        await proxy.stop()
        server.close()
        for writer in rig.clients:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in rig.clients), return_exceptions=True)


@pytest.fixture
def on_tailnet() -> Callable[[Callable[[Rig], Coroutine[Any, Any, None]]], None]:
    """Run a coroutine against a running proxy."""

    def run(story: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            async with _rig() as rig:
                await asyncio.wait_for(story(rig), 10)

        asyncio.run(whole())

    return run
