"""Other people's resolvers: a cache on the world's clock, asked over HTTPS."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import httpx
import pytest

from sandbox.dns import CachingResolver, DohServer, PublicDns
from sandbox.dns.caching import negative_ttl
from sandbox.dns.records import rrset


if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext


WIRE = "application/dns-message"


@pytest.fixture
def resolver(public: PublicDns, clock: Any) -> CachingResolver:
    """Return a resolver that remembers what the public DNS said."""
    return CachingResolver(public.recurse, clock)


def test_an_answer_is_believed_for_its_ttl(
    resolver: CachingResolver, zones: Any, clock: Any, ask: Callable[..., str]
) -> None:
    """A changed record is not seen before the old one's TTL has passed; it counts down."""
    first = ask(resolver.answer, "www.example.net A")
    zones.lookup("www.example.net", "A")[0]["content"] = "203.0.113.10"
    clock.offset[0] = 299
    second = ask(resolver.answer, "WWW.example.net A")
    clock.offset[0] = 300
    third = ask(resolver.answer, "www.example.net A")

    assert first == "NOERROR ra | www.example.net. 300 A 203.0.113.9"
    assert second == "NOERROR ra | www.example.net. 1 A 203.0.113.9"
    assert third == "NOERROR ra | www.example.net. 300 A 203.0.113.10"


@pytest.mark.parametrize("asked", ["new.example.com A", "one.example.com MX"])
def test_a_denial_is_believed_for_the_soas_ttl(
    resolver: CachingResolver, zones: Any, clock: Any, ask: Callable[..., str], asked: str
) -> None:
    """A name that was asked for too early stays missing: NXDOMAIN and NODATA alike (RFC 2308)."""
    before = ask(resolver.answer, asked)
    name, rtype = asked.split()
    zones.add(name, rtype, "203.0.113.7" if rtype == "A" else "mail.example.net", priority=1)
    clock.offset[0] = 1799
    still = ask(resolver.answer, asked)
    clock.offset[0] = 1800

    assert still == before.replace("1800 SOA", "1 SOA")
    assert ask(resolver.answer, asked).startswith(f"NOERROR ra | {name}. 300 {rtype}")


@pytest.mark.parametrize(("ttl", "minimum", "seconds"), [(60, 300, 60), (300, 60, 60), (0, 9, 0)])
def test_a_denial_lives_as_long_as_the_shorter_of_the_soas_times(
    ttl: int, minimum: int, seconds: int
) -> None:
    """The SOA's own TTL, or its minimum (RFC 2308, section 5)."""
    soa = rrset("example.com", ttl, "SOA", [f"ns.example.com hm.example.com 1 1 1 1 {minimum}"])

    assert negative_ttl([soa]) == seconds
    assert negative_ttl([]) == 0


def test_servfail_is_not_believed(clock: Any, ask: Callable[..., str], public: PublicDns) -> None:
    """A failure is asked again at once; so is a name that was flushed."""
    rcodes = iter([dns.rcode.SERVFAIL, dns.rcode.NOERROR, dns.rcode.NOERROR])

    async def upstream(query: Any, client: Any) -> Any:
        response = await public.recurse(query, client)
        response.set_rcode(next(rcodes))
        return response

    resolver = CachingResolver(upstream, clock)
    seen = [ask(resolver.answer, "one.example.com A")[:8] for _ in range(3)]
    resolver.flush(["One.Example.com."])
    ask(resolver.answer, "one.example.com A")

    assert seen == ["SERVFAIL", "NOERROR ", "NOERROR "]
    assert next(rcodes, None) is None


async def fetched(
    resolver: CachingResolver, tls: tuple[SSLContext, SSLContext], **request: Any
) -> httpx.Response:
    """Return what a DoH server on HTTPS says to one request."""
    server = DohServer(resolver.answer)
    await server.start(tls=tls[0])
    async with httpx.AsyncClient(verify=tls[1]) as client:
        response = await client.request(url=server.url + request.pop("query", ""), **request)
    await server.stop()
    return response


def test_doh_by_get_and_post(
    resolver: CachingResolver, server_tls: tuple[SSLContext, SSLContext]
) -> None:
    """Both forms of RFC 8484 over HTTPS, with the TTL as the answer's age to the web."""
    query = dns.message.make_query("alias.example.com", "A")
    query.id = 0
    wire = query.to_wire()
    encoded = base64.urlsafe_b64encode(wire).decode().rstrip("=")
    post = {"method": "POST", "content": wire, "headers": {"Content-Type": WIRE}}

    answers = [
        asyncio.run(fetched(resolver, server_tls, method="GET", query=f"?dns={encoded}")),
        asyncio.run(fetched(resolver, server_tls, **post)),
    ]

    for answer in answers:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, WIRE)
        assert answer.headers["Cache-Control"] == "max-age=120"
        assert len(dns.message.from_wire(answer.content).answer[1]) == 2


def test_doh_as_json(resolver: CachingResolver, server_tls: tuple[SSLContext, SSLContext]) -> None:
    """The JSON form names status, question and records; types may be numbers."""
    query = "?name=app.example.com&type=1"

    answer = asyncio.run(fetched(resolver, server_tls, method="GET", query=query))

    document = answer.json()
    assert answer.headers["Content-Type"].startswith("application/dns-json")
    assert (document["Status"], document["RA"]) == (3, True)
    assert document["Question"] == [{"name": "app.example.com.", "type": 1}]
    assert document["Answer"][0]["data"] == "gateway.ainu-herring.ts.net."
    assert document["Authority"][0]["type"] == 6


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET"}, 400),
        ({"method": "GET", "query": "?dns=!!!"}, 400),
        ({"method": "GET", "query": "?dns=abcd"}, 400),
        ({"method": "GET", "query": "?name=one.example.com&type=NONSENSE"}, 400),
        ({"method": "GET", "query": "?name=a..b"}, 400),
        ({"method": "POST", "content": b"x", "headers": {"Content-Type": WIRE}}, 400),
        ({"method": "POST", "content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"method": "PUT", "content": b"x"}, 405),
    ],
)
def test_doh_refuses_what_is_no_query(
    resolver: CachingResolver,
    server_tls: tuple[SSLContext, SSLContext],
    request_: dict[str, Any],
    status: int,
) -> None:
    """Nonsense is the client's fault, by HTTP's own words."""
    assert asyncio.run(fetched(resolver, server_tls, **dict(request_))).status_code == status
