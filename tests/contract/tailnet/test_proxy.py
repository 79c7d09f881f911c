"""The proxy into the tailnet, spoken to by raw SOCKS5 and by the clients that handlers use."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import httpx
import pytest


OnTailnet = Callable[[Callable[[Any], Any]], None]


def by_name(name: str) -> bytes:
    """Spell a host name as SOCKS5 does."""
    return bytes([3, len(name)]) + name.encode()


def by_address(address: str) -> bytes:
    """Spell an address as SOCKS5 does."""
    packed = ip_address(address).packed
    return bytes([1 if len(packed) == 4 else 4]) + packed


@pytest.mark.parametrize(
    "host",
    [
        by_address("100.64.0.1"),
        by_address("fd7a:115c:a1e0::1"),
        by_name("gateway.ainu-herring.ts.net"),
        by_name("Gateway.Ainu-Herring.ts.net."),
        by_name("gateway"),
        by_name("100.64.0.1"),
    ],
)
def test_it_carries_every_spelling_of_a_device_to_where_it_lives(
    on_tailnet: OnTailnet, host: bytes
) -> None:
    """Addresses of both families and MagicDNS names lead to the device's server."""

    async def story(rig: Any) -> None:
        reply, (reader, writer) = await rig.socks(host)
        assert reply == 0

        writer.write(b"hello")
        writer.write_eof()

        assert await reader.read(-1) == b"hello(end)"

    on_tailnet(story)


@pytest.mark.parametrize(
    ("host", "port", "reply"),
    [
        (by_address("100.64.0.2"), 443, 4),  # offline
        (by_name("gateway-old.ainu-herring.ts.net"), 443, 4),
        (by_address("100.64.0.9"), 443, 4),  # nobody's address
        (by_name("nobody.ainu-herring.ts.net"), 443, 4),
        (by_address("100.64.0.1"), 80, 5),  # nothing listens there
        (by_address("100.64.0.3"), 443, 5),
        (by_address("192.0.2.1"), 443, 3),  # the sandbox never leaves the machine
        (by_name("grafana.homelab.example"), 443, 3),  # split DNS is not known here
    ],
)
def test_it_says_why_a_connection_is_refused(
    on_tailnet: OnTailnet, host: bytes, port: int, reply: int
) -> None:
    """Offline and unknown devices, closed ports and the outside each have their reply code."""

    async def story(rig: Any) -> None:
        assert (await rig.socks(host, port))[0] == reply

    on_tailnet(story)


def test_it_reaches_this_machine_and_nothing_else(on_tailnet: OnTailnet) -> None:
    """Loopback is dialled directly, so that a proxied client can still reach the stand-ins."""

    async def story(rig: Any) -> None:
        for host in (by_address("127.0.0.1"), by_name("localhost")):
            assert (await rig.socks(host, rig.echo_port))[0] == 0

    on_tailnet(story)


def test_a_device_that_goes_offline_takes_its_connections_with_it(on_tailnet: OnTailnet) -> None:
    """A kept-alive connection must not outlive the device, and a new one is refused."""

    async def story(rig: Any) -> None:
        _, (reader, writer) = await rig.socks(by_address("100.64.0.1"))
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"

        rig.tailnet.devices[0]["connectedToControl"] = False
        rig.path.cut("n1")

        assert await reader.read() == b""
        assert (await rig.socks(by_address("100.64.0.1")))[0] == 4

    on_tailnet(story)


@pytest.mark.parametrize(
    ("opening", "answer"),
    [
        (b"\x05\x01\x02", b"\x05\xff"),  # only passwords offered
        (b"\x05\x01\x00\x05\x02\x00\x01\x64\x40\x00\x01\x01\xbb", b"\x05\x00\x05\x07"),  # BIND
        (b"\x05\x01\x00\x05\x01\x00\x09\x00\x00", b"\x05\x00\x05\x08"),  # no such address type
        (b"GET /etc HTTP/1.1\r\n\r\n", b"HTTP/1.1 400"),
        (b"CONNECT gateway HTTP/1.1\r\n\r\n", b"HTTP/1.1 400"),
        (b"\x04\x01nonsense\r\n\r\n", b""),
    ],
)
def test_it_refuses_what_it_does_not_speak(
    on_tailnet: OnTailnet, opening: bytes, answer: bytes
) -> None:
    """Wrong methods, commands, address types and request lines are answered as tailscaled does."""

    async def story(rig: Any) -> None:
        reader, writer = await rig.connect()
        writer.write(opening)
        writer.write_eof()
        assert (await reader.read())[: len(answer) or None] == answer

    on_tailnet(story)


async def _http_server() -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n")[0]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(line), line))
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


@pytest.mark.parametrize("scheme", ["socks5h", "socks5", "http"])
def test_httpx_goes_through_it_by_name(on_tailnet: OnTailnet, scheme: str) -> None:
    """One port serves SOCKS5 and the HTTP proxy, with the client the handlers use."""

    async def story(rig: Any) -> None:
        server = await _http_server()
        port = server.sockets[0].getsockname()[1]
        rig.path.listen("n1", 80, lambda: asyncio.open_connection("127.0.0.1", port))
        async with httpx.AsyncClient(
            proxy=f"{scheme}://127.0.0.1:{rig.proxy.port}", trust_env=False
        ) as client:
            found = await client.get("http://gateway.ainu-herring.ts.net/path?q=1")
            assert (found.status_code, found.text) == (200, "GET /path?q=1 HTTP/1.1")
        server.close()

    on_tailnet(story)


def test_http_connect_tunnels_and_names_its_failures(on_tailnet: OnTailnet) -> None:
    """CONNECT answers 200 and tunnels, or 500 with tailscaled's header."""

    async def story(rig: Any) -> None:
        reader, writer = await rig.connect()
        writer.write(b"CONNECT [fd7a:115c:a1e0::1]:443 HTTP/1.1\r\nHost: x\r\n\r\nearly")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\n\r\n"
        assert await reader.readexactly(5) == b"early"

        reader, writer = await rig.connect()
        writer.write(b"CONNECT 100.64.0.2:443 HTTP/1.1\r\n\r\n")
        refusal = await reader.read()
        assert refusal.startswith(b"HTTP/1.1 500 ")
        assert b"Tailscale-Connect-Error: gateway-old.ainu-herring.ts.net is offline" in refusal

    on_tailnet(story)


def test_small_writes_are_sent_at_once(on_tailnet: OnTailnet) -> None:
    """Both legs have TCP_NODELAY, or each TLS handshake would wait for delayed acknowledgements."""

    async def story(rig: Any) -> None:
        _, near = await rig.path.dial("100.64.0.1", 443)
        await rig.socks(by_address("100.64.0.1"))
        rig.clients.append(near)
        for writer in (near, *rig.proxy._clients.values()):
            sock = writer.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    on_tailnet(story)
