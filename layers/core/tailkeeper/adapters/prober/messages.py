"""DNS messages: questions, answers as values, and their frames on TCP (RFC 1035, RFC 7766)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.rdtypes.svcbbase import ParamKey

from tailkeeper.proof.answers import Answer, Record, normal


if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Sequence

    from dns.message import Message
    from dns.rrset import RRset

UDP_SIZE = 1232  # what fits any path unfragmented (DNS flag day 2020)
HINTS = (ParamKey.IPV4HINT, ParamKey.IPV6HINT)


def question(name: str, kind: str) -> Message:
    """Return a query with a random id; recursion is desired, which name servers of zones ignore."""
    return dns.message.make_query(name, kind, use_edns=0, payload=UDP_SIZE)


def questions(name: str, kinds: Sequence[str]) -> dict[str, Message]:
    """Return a query for each type; on one connection their ids must differ."""
    queries = {kind: question(name, kind) for kind in kinds}
    first = queries[kinds[0]].id
    for number, query in enumerate(queries.values()):
        query.id = (first + number) % 65536
    return queries


def is_cut(message: Message) -> bool:
    """Whether a UDP answer was too long, and TCP is to be asked."""
    return bool(message.flags & dns.flags.TC)


def answer_of(message: Message) -> Answer:
    """Return an answer as a value."""
    return Answer(
        _name(message.question[0].name),
        dns.rcode.to_text(message.rcode()),
        tuple(_records(message.answer)),
        tuple(hint for rrset in message.answer for hint in _hints(rrset)),
        next((_name(s[0].mname) for s in message.authority if s.rdtype == dns.rdatatype.SOA), ""),
    )


def framed(message: Message) -> bytes:
    """Return a message with its length in front."""
    wire: bytes = message.to_wire()
    return len(wire).to_bytes(2, "big") + wire


async def read_framed(reader: asyncio.StreamReader) -> bytes:
    """Read one message; raise EOFError when the stream ends."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))


def _records(answer: list[RRset]) -> Iterator[Record]:
    for rrset in answer:
        for rdata in rrset:
            kind = dns.rdatatype.to_text(rrset.rdtype)
            yield Record(_name(rrset.name), kind, normal(rdata.to_text()))


def _hints(rrset: RRset) -> Iterator[str]:
    """Yield where an HTTPS record sends a client: other names, and addresses."""
    if rrset.rdtype != dns.rdatatype.HTTPS:
        return
    for rdata in rrset:
        target = _name(rdata.target)
        if target not in {"", _name(rrset.name)}:
            yield target
        for key in HINTS:
            if hint := rdata.params.get(key):
                yield from hint.addresses


def _name(name: Any) -> str:
    text: str = name.to_text(omit_final_dot=True).lower()
    return "" if text in {".", "@"} else text
