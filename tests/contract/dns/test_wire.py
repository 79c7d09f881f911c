"""Real sockets: UDP and TCP on one port, sizes, garbage, other people's capital letters."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.dns import Client, DnsServer, ask, ask_through, reply, serve
from sandbox.dns.records import rrset
from sandbox.dns.server import framed, read_framed
from sandbox.dns.wire import Message, question, respond


if TYPE_CHECKING:
    from collections.abc import Callable


async def many(query: Message, client: Client) -> Message:
    """Answer with as many addresses as the first label says, and with the transport as TXT."""
    name, rtype = question(query)
    response = reply(query, authoritative=True)
    if rtype == "TXT":
        response.answer = [rrset(name, 60, "TXT", [client.transport])]
    else:
        addresses = [f"10.0.{n // 256}.{n % 256}" for n in range(int(name.split(".")[0]))]
        response.answer = [rrset(name, 60, "A", addresses)]
    return response


def udp(wire: bytes, port: int) -> bytes:
    """Send a datagram and return the reply, or b"" when none came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.settimeout(0.3)
        plug.sendto(wire, ("127.0.0.1", port))
        try:
            return plug.recv(65535)
        except TimeoutError:
            return b""


def test_one_port_serves_udp_and_tcp() -> None:
    """The port is the same, and a handler knows how it was asked."""

    async def run() -> list[str]:
        async with DnsServer(many, "127.0.0.1") as server:
            query = dns.message.make_query("a.example", "TXT")
            first = await ask(query, "127.0.0.1", server.port)
            second = await dns.asyncquery.tcp(query, "127.0.0.1", 2, server.port)
            return [answer.answer[0][0].to_text() for answer in (first, second)]

    assert asyncio.run(run()) == ['"udp"', '"tcp"']


def test_a_taken_port_is_an_error() -> None:
    """A given port is used or refused, never exchanged."""

    async def run() -> None:
        server = await serve(many)
        with pytest.raises(OSError, match="in use"):
            await serve(many, port=server.port)
        await server.stop()

    asyncio.run(run())


def test_a_connection_carries_several_queries() -> None:
    """TCP stays open between queries (RFC 7766), and pipelined ones are answered in order."""

    async def run() -> list[int]:
        server = await serve(many)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for count in (1, 2):
            writer.write(framed(dns.message.make_query(f"{count}.example", "A").to_wire()))
        first = dns.message.from_wire(await read_framed(reader))
        second = dns.message.from_wire(await read_framed(reader))
        writer.write(framed(dns.message.make_query("3.example", "A").to_wire()))
        third = dns.message.from_wire(await read_framed(reader))
        writer.close()
        await server.stop()
        return [len(answer.answer[0]) for answer in (first, second, third)]

    assert asyncio.run(run()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("payload", "count", "cut"),
    [(0, 28, ""), (0, 40, "TC"), (1232, 40, ""), (1232, 100, "TC"), (300, 40, "TC")],
)
def test_udp_answers_fit_the_client(payload: int, count: int, cut: str) -> None:
    """512 bytes without EDNS, the client's size with it; what does not fit is cut with TC."""
    query = dns.message.make_query(f"{count}.example", "A")
    if payload:
        query.use_edns(0, payload=payload)

    wire = asyncio.run(respond(query.to_wire(), many, Client())) or b""

    assert dns.flags.to_text(dns.message.from_wire(wire).flags & dns.flags.TC) == cut
    assert len(wire) <= max(512, payload)


def test_a_cut_answer_is_asked_again_over_tcp() -> None:
    """The client's helper ends up with everything."""

    async def run() -> int:
        async with DnsServer(many, "127.0.0.1") as server:
            query = dns.message.make_query("200.example", "A")
            return len((await ask(query, "127.0.0.1", server.port)).answer[0])

    assert asyncio.run(run()) == 200


def test_capital_letters_come_back() -> None:
    """A client that hides a secret in the name's case (0x20) finds it in the question."""
    query = dns.message.make_query("1.ExAmPlE", "A")

    wire = asyncio.run(respond(query.to_wire(), many, Client()))

    assert wire
    assert dns.message.from_wire(wire).question[0].name.to_text() == "1.ExAmPlE."


SOUND = dns.message.make_query("1.example", "A").to_wire()


def changed(change: Callable[[Message], object]) -> bytes:
    """Return a query for `1.example A` after a change."""
    query = dns.message.make_query("1.example", "A")
    change(query)
    return query.to_wire()


@pytest.mark.parametrize(
    ("wire", "rcode"),
    [
        pytest.param(changed(lambda q: q.set_opcode(dns.opcode.STATUS)), "NOTIMP", id="status"),
        pytest.param(changed(lambda q: q.use_edns(1)), "BADVERS", id="EDNS version 1"),
        pytest.param(changed(lambda q: q.question.clear()), "FORMERR", id="no question"),
        pytest.param(SOUND + b"junk", "FORMERR", id="junk behind"),
        pytest.param(SOUND[:-3], "FORMERR", id="cut"),
        pytest.param(b"\x12\x34\x01\x00\x00\x01" + bytes(6), "FORMERR", id="only a header"),
        pytest.param(
            changed(lambda q: setattr(q, "flags", dns.flags.QR)), "silence", id="an answer"
        ),
        pytest.param(b"short", "silence", id="less than a header"),
    ],
)
def test_what_is_no_query_gets_what_it_deserves(wire: bytes, rcode: str) -> None:
    """FORMERR keeps the id; an answer, or less than a header, gets nothing."""
    answer = asyncio.run(respond(wire, many, Client()))

    said = dns.rcode.to_text(dns.message.from_wire(answer).rcode()) if answer else "silence"
    assert said == rcode
    assert answer is None or answer[:2] == wire[:2]


@settings(max_examples=200)
@given(st.binary(max_size=80), st.integers(0, 40))
def test_any_bytes_are_survived(noise: bytes, place: int) -> None:
    """Whatever arrives, the server answers with a message that parses, or not at all."""
    for wire in (noise, SOUND[:place] + noise):
        answer = asyncio.run(respond(wire, many, Client()))

        assert answer is None or dns.message.from_wire(answer).flags & dns.flags.QR


def test_garbage_on_a_socket_does_not_stop_the_server() -> None:
    """After FORMERR and silence, the next client is served."""

    async def run() -> tuple[bytes, bytes, Message]:
        server = await serve(many)
        bad = await asyncio.to_thread(udp, b"\x00\x01" + b"\xff" * 20, server.port)
        short = await asyncio.to_thread(udp, b"x", server.port)
        good = await ask(dns.message.make_query("1.example", "A"), "127.0.0.1", server.port)
        await server.stop()
        return bad, short, good

    bad, short, good = asyncio.run(run())

    assert (bad, short) == (b"", b"")
    assert len(good.answer) == 1


def test_a_broken_handler_is_servfail_and_told() -> None:
    """The client gets SERVFAIL; the fault goes to the loop's exception handler."""

    async def broken(_: Message, __: Client) -> Message:
        raise RuntimeError("a bug")

    async def run() -> tuple[bytes | None, list[dict[str, Any]]]:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        query = dns.message.make_query("1.example", "A")
        return await respond(query.to_wire(), broken, Client()), told

    wire, told = asyncio.run(run())

    assert wire
    assert dns.message.from_wire(wire).rcode() == dns.rcode.SERVFAIL
    assert str(told[0]["exception"]) == "a bug"


def test_silence_is_a_timeout() -> None:
    """A handler that gives no answer lets a UDP client wait, and hangs up on a TCP client."""

    async def mute(_: Message, __: Client) -> None:
        return None

    async def run() -> None:
        server = await serve(mute)
        query = dns.message.make_query("1.example", "A")
        with pytest.raises(TimeoutError):
            await ask(query, "127.0.0.1", server.port, patience=0.1)
        with pytest.raises(ConnectionResetError):
            await ask_through(asyncio.open_connection, query, "127.0.0.1", server.port)
        await server.stop()

    asyncio.run(run())


def test_a_stopped_server_leaves_nothing_open() -> None:
    """Open connections end with the server, and the port is free again."""

    async def run() -> bytes:
        server = await serve(many)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await server.stop()
        rest = await reader.read()
        writer.close()
        again = await serve(many, port=server.port)
        await again.stop()
        return rest

    assert asyncio.run(run()) == b""
