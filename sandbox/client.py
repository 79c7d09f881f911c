"""A small client that believes nobody: it asks as a laptop would and says what came of it.

It shares no code with tailkeeper, so that the demo's proof is not the planner's own opinion. A
machine of the tailnet reaches a name in one of two ways: its DNS (100.100.100.100) asks the
split-DNS resolver, or it follows the public record to a MagicDNS name. Both then go through the
tailnet (SOCKS5) by TLS with the name as SNI. In the public view only the record is looked at: what
it leads to is not reachable from outside, and need not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype


if TYPE_CHECKING:
    from collections.abc import Mapping

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

View = Literal["tailnet", "public"]
Path = Literal["split-dns", "public-record"]
REFUSALS = {1: "the tailnet's proxy failed", 3: "not in the tailnet", 4: "device unreachable"}
REFUSALS |= {5: "connection refused"}
CHAIN = 8


@dataclass(frozen=True)
class Answer:
    """What came of one question.

    `records` are DNS records as `TYPE value`, in the order they were followed; `status` is the HTTP
    status and `served_by` the Service that answered; `error` names the hop that failed first.
    """

    name: str
    view: View
    path: Path
    records: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    status: int = 0
    served_by: str = ""
    error: str = ""
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether a person who asked would be content."""
        return not self.error


class Failure(Exception):
    """A hop that failed; the sentence begins with the hop."""


class Client:
    """Asks in the world of a connection file; `patience` is in seconds for each hop."""

    def __init__(self, connection: Mapping[str, Any], *, patience: float = 3.0) -> None:
        self._public = _host_and_port(connection["dns"]["public"])
        self._tailnet = _host_and_port(connection["dns"]["tailnet"])
        self._socks = _host_and_port(connection["socks5"].rpartition("//")[2])
        self._tls = ssl.create_default_context(cafile=connection["tls"]["ca_file"])
        self._patience = patience

    async def ask(self, name: str, view: View, path: Path = "split-dns") -> Answer:
        """Ask for `https://<name>/` in a view; in `public`, for its record alone."""
        started = time.perf_counter()
        found = _Found()
        try:
            await self._follow(name, view, path, found)
            error = ""
        except Failure as failure:
            error = str(failure)
        ms = (time.perf_counter() - started) * 1000
        shown = "public-record" if view == "public" else path
        return Answer(
            name,
            view,
            shown,
            tuple(found.records),
            tuple(found.addresses),
            found.status,
            found.served_by,
            error,
            ms,
        )

    async def _follow(self, name: str, view: View, path: Path, found: _Found) -> None:
        if view == "public":
            await self._resolve(name, self._public, found)
            return
        if path == "split-dns":
            await self._resolve(name, self._tailnet, found)
        else:
            await self._resolve(name, self._public, found)
            target = found.last_alias
            if target and not found.addresses:
                await self._resolve(target, self._tailnet, found)
        if not found.addresses:
            raise Failure("dns: no address")
        found.status, found.served_by = await self._get(name, found.addresses[0])
        if found.status >= 400:
            raise Failure(f"http: {found.status}")

    async def _resolve(self, name: str, server: tuple[str, int], found: _Found) -> None:
        """Ask for IPv4 addresses, and note every record on the way."""
        query = dns.message.make_query(name, "A")
        try:
            reply, _ = await dns.asyncquery.udp_with_fallback(
                query, server[0], self._patience, server[1]
            )
        except (OSError, dns.exception.DNSException) as error:
            raise Failure(f"dns: no answer for {name} ({type(error).__name__})") from error
        # a server that is not the target's own may say of it that it does not exist
        if reply.rcode() != dns.rcode.NOERROR and not reply.answer:
            raise Failure(f"dns: {dns.rcode.to_text(reply.rcode())} for {name}")
        for rrset in reply.answer:
            found.note(rrset)
        if not reply.answer:
            raise Failure(f"dns: no data for {name}")

    async def _get(self, name: str, address: str) -> tuple[int, str]:
        try:
            async with asyncio.timeout(self._patience):
                reader, writer = await self._connect(address, 443)
        except (OSError, EOFError, TimeoutError) as error:
            raise Failure(f"tailnet: {address}: {error or type(error).__name__}") from error
        try:
            async with asyncio.timeout(self._patience):
                return await self._speak(name, reader, writer)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            raise Failure(f"http: {error or type(error).__name__}") from error
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connect(self, address: str, port: int) -> Streams:
        """Open a connection through SOCKS5 (RFC 1928)."""
        reader, writer = await asyncio.open_connection(*self._socks)
        packed = ip_address(address).packed
        kind = b"\x01" if len(packed) == 4 else b"\x04"
        writer.write(b"\x05\x01\x00" + b"\x05\x01\x00" + kind + packed + port.to_bytes(2, "big"))
        code = (await reader.readexactly(12))[3]
        if code:
            writer.transport.abort()
            raise OSError(REFUSALS.get(code, f"SOCKS5 reply {code}"))
        return reader, writer

    async def _speak(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, str]:
        try:
            await writer.start_tls(self._tls, server_hostname=name)
        except (ssl.SSLError, ConnectionError) as error:
            raise Failure(f"tls: {error or type(error).__name__}") from error
        head = f"GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: demo\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in answer[1:] if ": " in line)
        return int(answer[0].split()[1]), headers.get("x-served-by", "")


class _Found:
    """What one question has met so far."""

    def __init__(self) -> None:
        self.records: list[str] = []
        self.addresses: list[str] = []
        self.last_alias = ""
        self.status = 0
        self.served_by = ""

    def note(self, rrset: Any) -> None:
        for record in rrset:
            text = record.to_text().rstrip(".")
            self.records.append(f"{dns.rdatatype.to_text(rrset.rdtype)} {text}")
            if rrset.rdtype == dns.rdatatype.CNAME:
                self.last_alias = text
            elif rrset.rdtype in {dns.rdatatype.A, dns.rdatatype.AAAA}:
                self.addresses.append(text)


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
