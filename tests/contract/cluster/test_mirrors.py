"""Worlds in which the tailnet, the zones or the cluster are somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import dns.message
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.clock import Clock
from sandbox.cloudflare import Cloudflare
from sandbox.dns import Client
from sandbox.kubernetes.server import Kubernetes
from sandbox.tailnet.datapath import DataPath
from sandbox.tailscale import Tailscale
from sandbox.world.mirrors import TailnetMirror, events
from sandbox.world.names import Names
from sandbox.world.zones_mirror import ZonesMirror


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/tailscale/gateways/front-door"


def test_a_mirror_of_a_tailnet_tells_what_has_changed(play: Any) -> None:
    """Devices and split DNS are those of the other side; each change is told once, in order."""

    async def story() -> None:
        theirs, ours = Tailscale(magic_dns_domain="cat-dog.ts.net"), Tailscale()
        await theirs.start()
        secret = {"client_id": theirs.oauth_client_id, "client_secret": theirs.oauth_client_secret}
        mirror = TailnetMirror(ours, f"{theirs.base_url}/api/v2/", secret)
        old = theirs.register("gateway-envoy", tags=["tag:k8s"])
        told: list[tuple[str, str]] = []
        mirror.subscribe(lambda kind, device: told.append((kind, device["name"])))
        try:
            await mirror.look()
            assert mirror.register("gateway-envoy", tags=["tag:k8s"]) == old
            assert mirror.register("gateway-envoy", tags=["tag:web"]) is None
            assert ours.magic_dns_domain == "cat-dog.ts.net"

            theirs.disconnect(old["nodeId"])
            theirs.register("gateway-envoy", tags=["tag:k8s"])
            theirs.dns.split_dns = {"x.example": ["100.64.0.9"]}
            await mirror.look()
            await mirror.look()
        finally:
            await theirs.stop()
        assert told == [
            ("registered", "gateway-envoy.cat-dog.ts.net"),
            ("disconnected", "gateway-envoy.cat-dog.ts.net"),
            ("registered", "gateway-envoy-1.cat-dog.ts.net"),
        ]
        assert ours.split_dns == {"x.example": ["100.64.0.9"]}

    play(story())


def test_a_mirror_of_a_tailnet_looks_when_somebody_asks(play: Any) -> None:
    """Its DNS, its data path or the cluster; once for many, and never by itself."""

    async def story() -> None:
        theirs, ours, kubernetes = Tailscale(), Tailscale(), Kubernetes()
        await theirs.start()
        secret = {"client_id": theirs.oauth_client_id, "client_secret": theirs.oauth_client_secret}
        mirror = TailnetMirror(ours, theirs.base_url, secret)
        path = DataPath(ours, mirror.refresh)
        names = Names(Cloudflare(), ours, path, Clock())
        kubernetes.before_reads = path.refresh
        await kubernetes.start()
        box = theirs.register("box")

        async def dialled() -> None:
            with pytest.raises(OSError, match="refuses port 80"):
                await path.dial(box["addresses"][0], 80)

        async def asked() -> None:
            query = dns.message.make_query(box["name"], "A")
            answer = await names._on_tailnet(query, Client())
            assert answer
            assert str(answer.answer[0][0]) == box["addresses"][0]

        async def read() -> None:
            async with aiohttp.ClientSession() as http:
                await http.get(f"{kubernetes.base_url}/api/v1/namespaces")

        try:
            for way in (dialled, asked, read):
                theirs.requests.clear()
                mirror._looked_at = 0.0
                await way()
                await way()
                reads = [one for one in theirs.requests if one["method"] == "GET"]
                assert [one["path"].rpartition("/")[2] for one in reads] == ["devices", "split-dns"]
        finally:
            await kubernetes.stop()
            await theirs.stop()

    play(story())


def test_a_mirror_says_who_it_is_and_keeps_its_token(play: Any) -> None:
    """Who counts requests at that API can leave ours out; a token that ends is asked for again."""
    agents, tokens, taken = set[str](), list[str](), ["t1"]

    async def token(request: web.Request) -> web.Response:
        tokens.append(f"t{len(tokens) + 1}")
        agents.add(request.headers["User-Agent"])
        return web.json_response({"access_token": tokens[-1]})

    async def answer(request: web.Request) -> web.Response:
        agents.add(request.headers["User-Agent"])
        if request.headers["Authorization"] != f"Bearer {taken[0]}":
            return web.json_response({"message": "API token invalid"}, status=401)
        return web.json_response({"devices": []})

    async def story() -> None:
        app = web.Application()
        app.router.add_post("/api/v2/oauth/token", token)
        app.router.add_get("/api/v2/tailnet/-/{path:.*}", answer)
        async with TestServer(app) as server:
            secret = {"client_id": "i", "client_secret": "s"}
            mirror = TailnetMirror(Tailscale(), str(server.make_url("/")), secret)
            await mirror.look()
            await mirror.look()
            taken[0] = "t2"
            await mirror.look()

    play(story())
    assert agents == {"tailkeeper-sandbox-mirror"}
    assert tokens == ["t1", "t2"]


def device(**fields: Any) -> dict[str, Any]:
    """Return a device as far as a mirror compares it."""
    return {"connectedToControl": True, "name": "a.x.ts.net", "addresses": ["100.64.0.1"]} | fields


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"connectedToControl": False}, ["disconnected"]),
        ({"name": "b.x.ts.net", "addresses": []}, ["renamed", "addressed"]),
        (None, ["removed"]),
    ],
)
def test_a_change_of_a_device_has_its_name(change: dict[str, Any] | None, kinds: list[str]) -> None:
    """The same words that our own tailnet uses."""
    after = {} if change is None else {"n": device(**change)}

    assert [kind for kind, _ in events({"n": device()}, after)] == kinds


def test_a_mirror_of_zones_is_as_fresh_as_the_question(play: Any) -> None:
    """The DNS answers with the other side's records; without a question nobody is asked.

    Zones that are not ours to keep are not read.
    """

    async def story() -> None:
        theirs = Cloudflare(zones=["other.example", "one.example"], api_token="theirs")
        ours = Cloudflare()
        await theirs.start()
        mirror = ZonesMirror(ours, theirs.base_url, "theirs", ["one.example"])
        tailnet = Tailscale()
        names = Names(ours, tailnet, DataPath(tailnet), Clock(), refresh=mirror.refresh)
        zone = theirs.account.zone_of("one.example")
        assert zone
        for number in range(60):
            zone.create({"type": "A", "name": f"h{number}", "content": "192.0.2.1", "ttl": 1})
        try:
            assert theirs.requests == []
            answer = await names._answer(dns.message.make_query("h59.one.example", "A"), Client())
            assert answer
            assert str(answer.answer[0][0]) == "192.0.2.1"
            lists = [r for r in theirs.requests if r["path"].endswith("/dns_records")]
            assert len(lists) == 1
        finally:
            await theirs.stop()

    play(story())


def test_a_cluster_of_ours_follows_somebody_elses_tailnet_and_zones(
    start_world: Callable[..., Any],
) -> None:
    """Gateway and resolver are the devices that are there; public names are what is published."""
    with start_world() as theirs:
        theirs.admin.post("/devices", json={"hostname": "laptop"})
        told = theirs.ready["tailscale"]
        replace = {
            "tailscale_url": told["base_url"],
            "tailscale_secret": {k: told[k] for k in ("client_id", "client_secret")},
            "cloudflare_url": theirs.ready["cloudflare"]["base_url"],
            "cloudflare_token": theirs.ready["cloudflare"]["api_token"],
        }
        with start_world(replace=replace) as ours:
            assert ours.ready["tailscale"]["base_url"] == told["base_url"]
            gateway = next(d for d in theirs.devices() if d["hostname"] == "gateway-envoy")
            with ours.kubernetes() as api:
                status = api.get(GATEWAY).json()["status"]
            assert [a["value"] for a in status["addresses"]] == [
                gateway["addresses"][0],
                gateway["name"],
            ]
            assert ours.ask("hearth.example", "public").records == ("A 192.0.2.10",)
        assert len(theirs.devices()) == 3


def test_a_world_without_a_cluster_has_no_devices(
    start_world: Callable[..., Any], tmp_path: Path
) -> None:
    """Somebody else's cluster has its own proxies; ours must not stand in their way."""
    config = tmp_path / "kubeconfig"
    config.write_text("{}")
    with start_world(replace={"kubeconfig": str(config)}, zones=["two.example"]) as running:
        assert running.devices() == []
        assert running.ready["kubernetes"]["kubeconfig"] == str(config)
        assert running.ready["cloudflare"]["zones"] == ["two.example"]


def test_a_tailnet_that_cannot_be_read_is_told(start_world: Callable[..., Any]) -> None:
    """The world starts, with nothing on the tailnet, and says why."""
    with start_world(replace={"tailscale_url": "http://127.0.0.1:9"}) as running:
        assert "cannot be read, so nothing is on it" in running.ready["notes"][0]
        with running.kubernetes() as api:
            found = api.get("/api/v1/namespaces/tailnet-dns/services/tailnet-dns").json()["status"]
    assert found["conditions"][0]["reason"] == "ProxyPending"


def test_one_record_that_our_dns_cannot_answer_hides_no_other(play: Any) -> None:
    """A server that is not ours may hold what ours would refuse."""

    async def records(_: web.Request) -> web.Response:
        odd = {"id": "1", "type": "MX", "name": "one.example", "content": "", "ttl": 1}
        good = {"id": "2", "type": "A", "name": "a.one.example", "content": "192.0.2.1", "ttl": 1}
        return web.json_response({"result": [odd, good], "result_info": {"total_pages": 1}})

    async def zones(_: web.Request) -> web.Response:
        return web.json_response({"result": [{"id": "z", "name": "one.example"}]})

    async def story() -> None:
        app = web.Application()
        app.router.add_get("/client/v4/zones", zones)
        app.router.add_get("/client/v4/zones/z/dns_records", records)
        ours = Cloudflare()
        async with TestServer(app) as server:
            await ZonesMirror(ours, str(server.make_url("")), "theirs", ["one.example"]).refresh()
        assert [r["content"] for r in ours.lookup("a.one.example", "A")] == ["192.0.2.1"]

    play(story())
