"""Connecting: straight, or into the tailnet through tailscaled's SOCKS5 proxy (RFC 1928).

tailscaled's own proxy answers reply 1 to every failure, and an offline device with silence; others
say why. What nobody explains is `mute`: a batch that hears of nothing else was blind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tailkeeper.adapters.prober.patience import ENOUGH, STEP, Patience, Silences
from tailkeeper.proof.hops import Blind, Fault


if TYPE_CHECKING:
    from tailkeeper.proof.hops import Hop

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[str, int, Patience], Awaitable[Streams]]

SOCKS = 1080
GENERAL_FAILURE = 1
REPLIES: dict[int, tuple[Hop, str]] = {
    GENERAL_FAILURE: ("tcp", "cannot be connected to; the proxy does not say why"),
    2: ("tailnet", "is forbidden by the proxy's rules"),
    3: ("tailnet", "is in a network that the proxy does not reach"),
    4: ("tailnet", "is not reachable: no such device, or it is offline"),
    5: ("tcp", "refuses the connection"),
    6: ("tailnet", "is too far away"),
}


async def direct(host: str, port: int, patience: Patience) -> Streams:
    """Connect without a proxy; raise OSError."""
    async with patience.step():
        return await asyncio.open_connection(host, port)


def hang_up(streams: Streams) -> None:
    """Close a connection at once, whatever is still on its way."""
    streams[1].transport.abort()


@dataclass
class TailnetPath:
    """The way into the tailnet by one proxy; `heard` once anything in it has shown itself."""

    proxy: str  # a URL such as socks5h://127.0.0.1:1055, or "" where there is none
    heard: bool = False
    _silences: Silences = field(default_factory=Silences)

    async def dial(self, host: str, port: int, patience: Patience) -> Streams:
        """Connect to an address, or to a MagicDNS name; raise Fault, or Blind without a proxy."""
        place = f"{host}:{port}"
        if self._silences.gave_up(place):
            raise Fault("tailnet", f"{place} let {ENOUGH} wait in vain", mute=True)
        streams = await self._greeted(patience)
        try:
            reply = await self._requested(streams, host, port, patience)
        except BaseException:
            hang_up(streams)
            raise
        if reply:
            hang_up(streams)
            raise self._refusal(place, reply)
        self.heard = True
        self._silences.hit(place)
        return streams

    async def _greeted(self, patience: Patience) -> Streams:
        """Return a connection to the proxy, which is ready for a request."""
        if not self.proxy:
            raise Blind("no proxy into the tailnet is configured")
        where = urlsplit(self.proxy)
        mute = f"the proxy into the tailnet, {where.hostname}:{where.port}, does not speak to us"
        if self._silences.gave_up(self.proxy):
            raise Blind(mute)
        try:
            async with patience.step():
                streams = await _greeting(where.hostname or "", where.port or SOCKS)
        except (OSError, EOFError) as error:
            if isinstance(error, TimeoutError):
                self._silences.miss(self.proxy)
            raise Blind(f"{mute} ({type(error).__name__})") from error
        self._silences.hit(self.proxy)
        return streams

    async def _requested(self, streams: Streams, host: str, port: int, patience: Patience) -> int:
        """Send a CONNECT request and return the reply's code."""
        try:
            async with patience.step():
                streams[1].write(b"\x05\x01\x00" + _spelt(host) + port.to_bytes(2, "big"))
                return await _reply(streams[0])
        except TimeoutError:
            self._silences.miss(f"{host}:{port}")
            silence = f"{host}:{port} does not answer within {STEP:.0f} s"
            raise Fault("tailnet", silence, mute=True) from None
        except (OSError, EOFError) as error:
            raise Blind("the proxy into the tailnet broke off") from error

    def _refusal(self, place: str, reply: int) -> Fault:
        self.heard = self.heard or reply != GENERAL_FAILURE
        hop, why = REPLIES.get(reply, ("tailnet", f"is refused by the proxy (reply {reply})"))
        return Fault(hop, f"{place} {why}", mute=reply == GENERAL_FAILURE)


async def _greeting(host: str, port: int) -> Streams:
    """Return a connection to a SOCKS5 server that wants no password; raise OSError or EOFError."""
    streams = await asyncio.open_connection(host, port)
    try:
        streams[1].write(b"\x05\x01\x00")
        accepted = await streams[0].readexactly(2) == b"\x05\x00"
    except BaseException:
        hang_up(streams)
        raise
    if not accepted:
        hang_up(streams)
        raise ConnectionRefusedError("no SOCKS5 server without a password")
    return streams


def _spelt(host: str) -> bytes:
    """Return an address or a name as a SOCKS5 request carries it."""
    try:
        packed = ip_address(host).packed
    except ValueError:
        name = host.encode("ascii")
        return bytes([3, len(name)]) + name
    return (b"\x01" if len(packed) == 4 else b"\x04") + packed  # noqa: PLR2004 - IPv4


async def _reply(reader: asyncio.StreamReader) -> int:
    """Read a reply to its end, the bound address included; return its code."""
    _, code, _, kind = await reader.readexactly(4)
    lengths = {1: 4, 4: 16}
    length = lengths[kind] if kind in lengths else (await reader.readexactly(1))[0]
    await reader.readexactly(length + 2)
    return code
