"""One port that plays tailscaled's `--socks5-server` and `--outbound-http-proxy-listen`.

As with tailscaled, both may share a port: the first byte of a connection decides. Two things are
told apart here that tailscaled reports alike: its SOCKS5 answers every failure with reply 1, ours
says why (RFC 1928: 3 network unreachable, 4 host unreachable, 5 refused). Clients must bear both.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit


if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from sandbox.tailnet.datapath import DataPath, Streams

REPLIES = {errno.ENETUNREACH: 3, errno.EHOSTUNREACH: 4, errno.ECONNREFUSED: 5}
GENERAL_FAILURE, UNKNOWN_COMMAND, UNKNOWN_ADDRESS_TYPE = 1, 7, 8
CHUNK = 64 * 1024
HEADER_LIMIT = 64 * 1024


class Refused(Exception):
    """A SOCKS5 request that is answered with a reply code instead of a connection."""

    def __init__(self, reply: int) -> None:
        super().__init__(f"SOCKS5 reply {reply}")
        self.reply = reply


class Proxy:
    """A SOCKS5 and HTTP proxy into the tailnet, on a loopback port."""

    def __init__(self, path: DataPath) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], StreamWriter] = {}

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, limit=HEADER_LIMIT
        )

    @property
    def port(self) -> int:
        """The port it listens on; only once started."""
        if not self._server:
            raise RuntimeError("the proxy has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close the port and every connection that goes through it."""
        if self._server:
            self._server.close()
        for task, writer in self._clients.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._clients[task] = writer
        try:
            first = await reader.readexactly(1)
            await (self._socks if first == b"\x05" else self._http)(first, reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            pass  # a client that breaks off or talks nonsense gets no answer
        except asyncio.CancelledError:
            pass  # by `stop`; Python 3.11 logs a server's task that ends as cancelled
        finally:
            self._clients.pop(task)
            writer.close()

    async def _socks(self, _: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if 0 not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(b"\x05\x00")
        try:
            far = await self._path.dial(*await socks_destination(reader))
        except Refused as refusal:
            writer.write(socks_reply(refusal.reply))
        except OSError as error:
            writer.write(socks_reply(REPLIES.get(error.errno or 0, GENERAL_FAILURE)))
        else:
            writer.write(socks_reply(0))
            await relay((reader, writer), far)

    async def _http(self, first: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        method, target, version = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if not url.hostname or not (url.port or url.scheme == "http"):
            writer.write(http_error(400, "bogus RequestURI; must be absolute URL or CONNECT"))
            return
        try:
            far = await self._path.dial(url.hostname, url.port or 80)
        except OSError as error:
            writer.write(http_error(500, error.strerror or str(error)))
            return
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            path = url._replace(scheme="", netloc="").geturl() or "/"
            far[1].write(origin_form(head, f"{method} {path} {version}"))
        await relay((reader, writer), far)


async def socks_destination(reader: StreamReader) -> tuple[str, int]:
    """Read a SOCKS5 CONNECT request; raise Refused for what tailscaled's server does not do."""
    _, command, _, kind = await reader.readexactly(4)
    match kind:
        case 1:
            host = str(ip_address(await reader.readexactly(4)))
        case 3:
            length = (await reader.readexactly(1))[0]
            host = (await reader.readexactly(length)).decode("ascii")
        case 4:
            host = str(ip_address(await reader.readexactly(16)))
        case _:
            raise Refused(UNKNOWN_ADDRESS_TYPE)
    port = int.from_bytes(await reader.readexactly(2), "big")
    if command != 1:
        raise Refused(UNKNOWN_COMMAND)
    return host, port


def socks_reply(code: int) -> bytes:
    """Return a SOCKS5 reply with an empty bound address."""
    return bytes([5, code, 0, 1]) + bytes(6)


def http_error(status: int, sentence: str) -> bytes:
    """Return the whole answer of a proxy that could not connect, with tailscaled's header."""
    reason = {400: "Bad Request", 500: "Internal Server Error"}[status]
    return (
        f"HTTP/1.1 {status} {reason}\r\nTailscale-Connect-Error: {sentence}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        f"Content-Length: {len(sentence) + 1}\r\n\r\n{sentence}\n"
    ).encode()


def origin_form(head: bytes, request_line: str) -> bytes:
    """Return a proxied request's head as the origin server wants it, for one request only."""
    headers = head.split(b"\r\n")[1:-2]
    kept = [
        h for h in headers if h.split(b":")[0].lower() not in {b"proxy-connection", b"connection"}
    ]
    return b"\r\n".join([request_line.encode(), *kept, b"Connection: close", b"", b""])


async def relay(near: Streams, far: Streams) -> None:
    """Carry bytes both ways until both sides have said all they had to say."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(near[0], far[1]))
            both.create_task(_pump(far[0], near[1]))
    except* OSError:
        near[1].transport.abort()
    finally:
        far[1].close()


async def _pump(source: StreamReader, sink: StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        sink.write(chunk)
        await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()
