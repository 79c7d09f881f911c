"""DNS messages on the wire: what every server here does before and after it thinks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype


OUR_PAYLOAD = 1232  # what fits any path unfragmented (DNS flag day 2020)
HEADER = 12


@dataclass(frozen=True)
class Client:
    """Who asks, and how; `address` is an IP address as text."""

    address: str = "127.0.0.1"
    port: int = 0
    transport: Literal["udp", "tcp", "https"] = "udp"


Message = dns.message.Message
Handler = Callable[[Message, Client], Awaitable[Message | None]]  # None: no answer at all


def reply(
    query: Message,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
    *,
    authoritative: bool = False,
    recursive: bool = False,
) -> Message:
    """Return an empty answer to `query`: same id, same question in the same case, EDNS if asked."""
    response = dns.message.make_response(
        query, recursion_available=recursive, our_payload=OUR_PAYLOAD
    )
    response.set_rcode(rcode)
    if authoritative:
        response.flags |= dns.flags.AA
    return response


async def respond(wire: bytes, handler: Handler, client: Client) -> bytes | None:
    """Answer one message as bytes; None when it deserves none (no header, or itself an answer)."""
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return format_error(wire)
    if query.flags & dns.flags.QR:
        return None
    response = refusal(query) or await _handled(query, handler, client)
    return None if response is None else fitted(response, query, client)


def refusal(query: Message) -> Message | None:
    """Return the answer to a message that no handler should see, or None when it is sound."""
    if query.edns > 0:
        return reply(query, dns.rcode.BADVERS)
    if query.opcode() != dns.opcode.QUERY:
        return reply(query, dns.rcode.NOTIMP)
    if len(query.question) != 1:
        return reply(query, dns.rcode.FORMERR)
    return None


def format_error(wire: bytes) -> bytes | None:
    """Return FORMERR for bytes that do not parse, built from their header alone."""
    if len(wire) < HEADER or wire[2] & 0x80:
        return None
    opcode_and_rd = wire[2] & 0x79
    return wire[:2] + bytes([0x80 | opcode_and_rd, int(dns.rcode.FORMERR)]) + bytes(8)


def fitted(response: Message, query: Message, client: Client) -> bytes:
    """Return the answer as bytes, cut with TC set where the client's UDP size asks for it."""
    size = 65535 if client.transport != "udp" else max(512, query.payload if query.edns >= 0 else 0)
    return response.to_wire(max_size=size, prefer_truncation=True)


def question(query: Message) -> tuple[str, str]:
    """Return the name asked for (lower case, with its final dot) and the type, as text."""
    asked = query.question[0]
    return asked.name.to_text().lower(), dns.rdatatype.to_text(asked.rdtype)


async def _handled(query: Message, handler: Handler, client: Client) -> Message | None:
    try:
        return await handler(query, client)
    except Exception as error:  # noqa: BLE001 - a name server answers SERVFAIL whatever broke in it
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"answering {question(query)}", "exception": error}
        )
        return reply(query, dns.rcode.SERVFAIL)
