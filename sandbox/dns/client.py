"""Asking a DNS server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.exception
import dns.message

from sandbox.dns.server import framed, read_framed


if TYPE_CHECKING:
    from sandbox.dns.wire import Message

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[str, int], Awaitable[Streams]]  # raises OSError when nobody is there


async def ask(query: Message, host: str, port: int, *, patience: float = 5.0) -> Message:
    """Ask over UDP, and over TCP when the answer was cut.

    `patience` is in real seconds. Raises OSError when nobody answers in time or at all.
    """
    try:
        response, _ = await dns.asyncquery.udp_with_fallback(query, host, patience, port)
    except dns.exception.Timeout as error:
        raise TimeoutError(f"no answer from {host}:{port}") from error
    return response


async def ask_through(dial: Dial, query: Message, host: str, port: int) -> Message:
    """Ask over one TCP connection that `dial` opens; raise OSError when it fails."""
    reader, writer = await dial(host, port)
    try:
        writer.write(framed(query.to_wire()))
        await writer.drain()
        return dns.message.from_wire(await read_framed(reader))
    except EOFError as error:
        raise ConnectionResetError(f"{host}:{port} hung up") from error
    finally:
        writer.close()
