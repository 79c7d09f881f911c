"""Speaking on an open connection: TLS with SNI, and one HTTP request."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from tailkeeper.adapters.prober.patience import STEP, Patience
from tailkeeper.proof.hops import Fault, Spoken


if TYPE_CHECKING:
    from collections.abc import Callable

    from tailkeeper.adapters.prober.dialling import Streams

T = TypeVar("T")

CHUNK = 16 * 1024
HEAD = 64 * 1024
USUAL = {"https": 443, "http": 80}
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
EMPTY = re.compile(rb"\r\ncontent-length:[ \t]*0[ \t]*\r\n", re.IGNORECASE)


class Channel(Protocol):
    """Something that carries bytes both ways; b"" is the end."""

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""

    async def receive(self) -> bytes:
        """Return what has come."""


@dataclass
class Plain:
    """The bare connection."""

    streams: Streams

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        self.streams[1].write(data)
        await self.streams[1].drain()

    async def receive(self) -> bytes:
        """Return what has come."""
        return await self.streams[0].read(CHUNK)


@dataclass
class Secured:
    """TLS in memory over a connection: asyncio's own takes 256 KiB for each."""

    below: Plain
    context: ssl.SSLContext
    name: str
    _in: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _out: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)

    def __post_init__(self) -> None:
        self._tls = self.context.wrap_bio(self._in, self._out, server_hostname=self.name)

    async def shake_hands(self) -> float:
        """Agree on keys; return when the certificate ends, in epoch seconds; raise SSLError."""
        await self._moved(self._tls.do_handshake)
        certificate = self._tls.getpeercert() or {}
        return ssl.cert_time_to_seconds(str(certificate["notAfter"]))

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        await self._moved(lambda: self._tls.write(data))

    async def receive(self) -> bytes:
        """Return what has come."""
        try:
            return await self._moved(lambda: self._tls.read(CHUNK))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    async def _moved(self, step: Callable[[], T]) -> T:
        """Take a step of the protocol, as soon as the bytes that it needs are there."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self.below.receive():
                    self._in.write(data)
                else:
                    self._in.write_eof()
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        if self._out.pending:
            await self.below.send(self._out.read())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is meant: `host` is SNI and Host. `protocol` is https, http, tls or tcp."""

    host: str
    port: int
    protocol: str


async def speak(
    streams: Streams, endpoint: Endpoint, context: ssl.SSLContext, patience: Patience
) -> Spoken:
    """Say on a connection what a client of the protocol says; raise Fault at the hop that fails."""
    channel: Channel = Plain(streams)
    ends = None
    if endpoint.protocol == "tcp":
        return Spoken()
    if endpoint.protocol in {"https", "tls"}:
        channel = secured = Secured(Plain(streams), context, endpoint.host)
        ends = await _certificate_end(secured, patience)
    if endpoint.protocol == "tls":
        return Spoken(ends)
    status, empty = await _answered(channel, endpoint, patience)
    return Spoken(ends, status, empty)


async def _certificate_end(channel: Secured, patience: Patience) -> float:
    try:
        async with patience.step():
            return await channel.shake_hands()
    except TimeoutError:
        raise Fault("tls", f"no handshake within {STEP:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise Fault("tls", f"certificate refused: {error.verify_message.rstrip('.')}") from error
    except (ssl.SSLEOFError, ConnectionError) as error:
        why = f"hangs up in the handshake, as one without a certificate for {channel.name} does"
        raise Fault("tls", why) from error
    except ssl.SSLError as error:
        raise Fault("tls", f"handshake failed: {_words(error)}") from error


async def _answered(channel: Channel, endpoint: Endpoint, patience: Patience) -> tuple[int, bool]:
    """Return the status of GET /, and whether the answer has no body."""
    try:
        async with patience.step():
            await channel.send(_request(endpoint))
            return await _head(channel)
    except TimeoutError:
        raise Fault("http", f"no answer within {STEP:.0f} s") from None
    except ssl.SSLError as error:  # TLS 1.3 tells a client that it lacks a certificate only now
        raise Fault("tls", f"connection ended: {_words(error)}") from error
    except OSError as error:
        raise Fault("http", "breaks off instead of answering") from error


def _request(endpoint: Endpoint) -> bytes:
    usual = USUAL[endpoint.protocol] == endpoint.port
    host = endpoint.host if usual else f"{endpoint.host}:{endpoint.port}"
    lines = ("GET / HTTP/1.1", f"Host: {host}", "User-Agent: tailkeeper", "Accept: */*")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii")


async def _head(channel: Channel) -> tuple[int, bool]:
    """Read to the end of the final answer's head."""
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            data = await channel.receive()
            received += data
            if not data or len(received) > HEAD:
                raise Fault("http", "hangs up without a whole answer" if received else "no answer")
        head, _, received = received.partition(b"\r\n\r\n")
        found = STATUS.match(head)
        if not found:
            raise Fault("http", "does not speak HTTP/1")
        if found[1][:1] != b"1":
            return int(found[1]), bool(EMPTY.search(head + b"\r\n"))


def _words(error: ssl.SSLError) -> str:
    return (error.reason or type(error).__name__).replace("_", " ").lower()
