"""Name servers with their manners: they close early, answer out of turn, cut, or stay silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import dns.entropy
import dns.message
import dns.rcode
import dns.rrset
import pytest

from sandbox.dns import DnsServer, reply
from sandbox.dns.server import framed, read_framed
from tailkeeper.adapters import prober
from tailkeeper.adapters.prober import authorities, messages, patience
from tests.support.tailnets import HOST, RESOLVER, Site, exposure, rest, running_site


Story = Callable[[Site], Awaitable[None]]


def play(story: Story) -> None:
    """Run a story on a site where all is well."""

    async def whole() -> None:
        async with running_site() as site, asyncio.timeout(20):
            await story(site)

    asyncio.run(whole())


@dataclass
class Manners:
    """A DNS server on TCP: `limit` answers on a connection, `batch` of them at once, backwards.

    It says 100.64.0.7 to A and nothing else; with `garbage` it says what nobody understands.
    """

    limit: int = 1_000_000
    batch: int = 1
    garbage: bool = False
    connections: int = 0
    questions: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the limit, or until the client leaves."""
        self.connections += 1
        try:
            for _ in range(0, self.limit, self.batch):
                queries = [await self._read(reader) for _ in range(self.batch)]
                writer.write(b"".join(map(self._answer, reversed(queries))))
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> dns.message.Message:
        query = dns.message.from_wire(await read_framed(reader))
        self.questions.append(query.question[0].to_text())
        return query

    def _answer(self, query: dns.message.Message) -> bytes:
        if self.garbage:
            return framed(b"nonsense")
        response = reply(query)
        if " A" in query.question[0].to_text():
            response.answer = [dns.rrset.from_text(f"{HOST}.", 30, "IN", "A", "100.64.0.7")]
        return framed(response.to_wire())


def with_server(manners: Manners, story: Story) -> None:
    """Run a story in which the resolver is this server."""

    async def whole(site: Site) -> None:
        async with await asyncio.start_server(manners.serve, "127.0.0.1", 0) as server:
            site.ports["resolver"] = server.sockets[0].getsockname()[1]
            await story(site)

    play(whole)


@pytest.mark.parametrize(
    "manners",
    [Manners(), Manners(batch=3), Manners(limit=1), Manners(limit=4)],
    ids=["patient", "backwards", "one answer each", "four answers each"],
)
def test_every_question_is_answered_whenever_the_server_closes(manners: Manners) -> None:
    """What a closed connection left open is asked again on another (RFC 7766)."""
    targets = [exposure(addresses=("100.64.0.7",), protocol="tcp")] * 40

    async def story(site: Site) -> None:
        findings = await site.probe(*targets)

        assert {f["state"] for f in findings} == {"healthy"}
        assert manners.limit < 5 or manners.connections <= 16

    with_server(manners, story)


def test_questions_for_one_connection_never_share_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are told apart by id alone, so chance must not give two the same."""
    monkeypatch.setattr(dns.entropy, "random_16", lambda: 65535)

    queries = messages.questions(HOST, ("A", "AAAA", "HTTPS"))

    assert [query.id for query in queries.values()] == [65535, 0, 1]


@pytest.mark.parametrize(
    ("manners", "words"),
    [
        (Manners(limit=0), "hangs up without an answer"),
        (Manners(garbage=True), "answers with what is no DNS message"),
        (Manners(batch=4), "does not answer within"),
    ],
    ids=["hangs up", "garbage", "silent"],
)
def test_a_resolver_without_manners_is_a_fault_of_dns(
    manners: Manners, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connected to, and still no answer: the resolver itself is at fault."""
    monkeypatch.setattr(patience, "STEP", 0.5)

    async def story(site: Site) -> None:
        (outcome,) = (await site.outcomes(exposure(addresses=("100.64.0.7",)))).values()

        assert outcome[:2] == ("down", "dns")
        assert outcome[2].startswith(f"nameserver {RESOLVER} ")
        assert words in outcome[2]

    with_server(manners, story)


def test_a_silent_resolver_does_not_hold_up_500_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """After eight time-outs and no answer at all nobody else waits for it."""
    monkeypatch.setattr(patience, "STEP", 1.0)
    monkeypatch.setattr(prober, "AT_ONCE", 8)
    hosts = [f"app{number}.example.com" for number in range(40)]

    async def story(site: Site) -> None:
        findings = await site.probe(*(exposure(h, addresses=("100.64.0.7",)) for h in hosts))

        assert {(f["state"], f["hop"]) for f in findings} == {("down", "dns")}
        waited = [f for f in findings if "does not answer within" in f["detail"]]
        assert patience.ENOUGH <= len(waited) < patience.ENOUGH + prober.AT_ONCE

    with_server(Manners(batch=1000), story)


EDGE = ["104.16.0.1", "104.16.0.2"]
PUBLIC: dict[str, tuple[dict[str, list[str]], dict[str, list[str]], str, str]] = {
    "as planned": ({"A": ["100.64.0.7"]}, {"A": ["100.64.0.7"]}, "healthy", "A 100.64.0.7"),
    "a name in other letters": (
        {"CNAME": ["Gateway.Ainu.ts.net."]},
        {"CNAME": ["gateway.ainu.ts.net"]},
        "healthy",
        "CNAME gateway.ainu.ts.net",
    ),
    "not there": ({"A": ["100.64.0.7"]}, {}, "down", "A: NXDOMAIN, the plan A 100.64.0.7"),
    "stale": (
        {"A": ["100.64.0.7"]},
        {"A": ["100.64.0.8"]},
        "down",
        "A 100.64.0.8, the plan A 100.64.0.7",
    ),
    "one too many": (
        {"A": ["100.64.0.7"]},
        {"A": ["100.64.0.7"], "AAAA": ["2606:4700::1"]},
        "down",
        "AAAA 2606:4700::1",
    ),
    "another type": (
        {"CNAME": ["gateway.ainu.ts.net"]},
        {"A": ["100.64.0.7"]},
        "down",
        "A 100.64.0.7, the plan CNAME",
    ),
    "hints to the edge": (
        {"A": ["100.64.0.7"]},
        {"A": ["100.64.0.7"], "HTTPS": ['1 . alpn="h3" ipv4hint="104.16.0.1"']},
        "down",
        "HTTPS leads to 104.16.0.1",
    ),
    "hints to itself": (
        {"A": ["100.64.0.7"]},
        {"A": ["100.64.0.7"], "HTTPS": ['1 . alpn="h2" ipv4hint="100.64.0.7"']},
        "healthy",
        "A 100.64.0.7",
    ),
    "an alias by HTTPS": (
        {"A": ["100.64.0.7"]},
        {"A": ["100.64.0.7"], "HTTPS": ["0 pages.dev."]},
        "down",
        "HTTPS leads to pages.dev",
    ),
}


@pytest.mark.parametrize("case", PUBLIC)
def test_the_zone_must_say_exactly_what_was_planned(case: str) -> None:
    """The public view is right when the published records are the plan's, and HTTPS agrees."""
    planned, published, state, words = PUBLIC[case]

    async def story(site: Site) -> None:
        for kind, contents in published.items():
            site.zones.records[HOST, kind] = contents

        outcomes = await site.outcomes(exposure(public=planned), proxy="")

        assert outcomes["authoritative"][:2] == (state, None if state == "healthy" else "dns")
        assert words in outcomes["authoritative"][2]

    play(story)


@pytest.mark.parametrize(("published", "state"), [(EDGE, "healthy"), ([], "down")])
def test_a_proxied_record_shows_the_edge(published: list[str], state: str) -> None:
    """What Cloudflare answers for it is its own affair, but it must answer."""

    async def story(site: Site) -> None:
        site.zones.records[HOST, "A"] = published

        outcomes = await site.outcomes(
            exposure(public={"CNAME": ["origin.example.net"]}, proxied=True), proxy=""
        )

        assert {path: outcome[0] for path, outcome in outcomes.items()} == {"authoritative": state}

    play(story)


def test_an_answer_that_a_datagram_cuts_is_asked_for_over_tcp() -> None:
    """A hundred addresses do not fit 1,232 bytes; the verdict is on all of them."""
    addresses = [f"100.64.1.{number}" for number in range(100)]

    async def story(site: Site) -> None:
        site.zones.records[HOST, "A"] = addresses

        outcomes = await site.outcomes(exposure(public={"A": addresses}), proxy="")

        assert outcomes["authoritative"][0] == "healthy"
        assert site.asked[f"public tcp {HOST}."] == 1

    play(story)


@dataclass
class Deaf(asyncio.DatagramProtocol):
    """A server that loses the first datagrams, or all of them, and answers the rest NXDOMAIN."""

    loses: int
    heard: int = 0
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer, or not; strangers' messages come in between."""
        self.heard += 1
        if self.heard > self.loses:
            query = dns.message.from_wire(data)
            self.transport.sendto(b"\x00", addr)
            self.transport.sendto(reply(dns.message.make_query("x.", "A")).to_wire(), addr)
            self.transport.sendto(reply(query, dns.rcode.NXDOMAIN).to_wire(), addr)


@pytest.mark.parametrize(
    ("loses", "expected"),
    [(3, ("down", "dns")), (1000, ("blind", None))],
    ids=["some", "all"],
)
def test_a_lost_datagram_is_sent_again_and_lost_servers_leave_us_blind(
    loses: int, expected: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence of the name servers says nothing about the record (F38)."""
    monkeypatch.setattr(authorities, "TRY", 0.2)

    async def story(site: Site) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Deaf(loses), local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]

        outcomes = await site.outcomes(
            exposure(public={"A": ["100.64.0.7"]}), proxy="", public_dns=f"127.0.0.1:{port}"
        )
        transport.close()

        assert outcomes["authoritative"][:2] == expected

    play(story)


def test_a_closed_port_of_the_public_dns_leaves_us_blind() -> None:
    """ICMP says at once that nobody listens; and the rest of the domain cannot be compared."""

    async def story(site: Site) -> None:
        async with DnsServer(lambda *_: asyncio.sleep(0), "127.0.0.1") as server:
            closed = f"127.0.0.1:{server.port}"

        findings = await site.probe(
            exposure(public={"A": ["100.64.0.7"]}), rest("apex"), public_dns=closed
        )

        assert {f["path"]: f["state"] for f in findings} == {
            "authoritative": "blind",
            "public-record": "healthy",
            "rest-of-zone": "blind",
        }

    play(story)


def test_the_servers_of_the_zone_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PUBLIC_DNS the zone's own servers are asked, on an IPv4 address if they have one."""

    async def story(site: Site) -> None:
        monkeypatch.setattr(authorities, "DNS", site.ports["public"])
        site.authorities = {"example.com": ["localhost"], "example.net": []}
        site.zones.records[HOST, "A"] = ["203.0.113.9"]

        outcomes = await site.outcomes(
            exposure(public={"A": ["203.0.113.9"]}), proxy="", public_dns=""
        )

        assert outcomes["authoritative"] == ("healthy", None, "A 203.0.113.9")

    play(story)


def test_name_servers_to_which_there_is_no_way_leave_us_blind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine without IPv6 cannot even send; one with it gets no answer from documentation."""
    monkeypatch.setattr(authorities, "TRY", 0.1)

    async def story(site: Site) -> None:
        outcomes = await site.outcomes(
            exposure(public={"A": ["203.0.113.9"]}), proxy="", public_dns="[2001:db8::1]:53"
        )

        assert outcomes["authoritative"][:2] == ("blind", None)

    play(story)


@pytest.mark.parametrize("servers", [{}, {"example.com": []}])
def test_a_zone_whose_servers_nobody_knows_is_not_guessed(servers: dict[str, list[str]]) -> None:
    """Without PUBLIC_DNS only the zone's own servers count."""

    async def story(site: Site) -> None:
        site.authorities = servers
        outcomes = await site.outcomes(
            exposure(public={"A": ["203.0.113.9"]}), proxy="", public_dns=""
        )

        assert outcomes["authoritative"][:2] == ("blind", None)
        assert "not known which name servers" in outcomes["authoritative"][2]

    play(story)
