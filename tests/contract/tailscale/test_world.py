"""The tailnet as the world drives it: machines come and go, state is kept, all are told."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.clock import Clock
from sandbox.tailscale import Tailscale


if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.tailscale.conftest import Api, Options

pytestmark = pytest.mark.anyio


@pytest.fixture
def options(options: Options, tmp_path: Path) -> Options:
    """Keep the tailnet's state in a file, and let 45 minutes pass in 5 ms."""
    options.path = tmp_path / "tailscale.json"
    options.speed = 45 * 60 / 0.005
    return options


def listen(tailscale: Tailscale) -> list[tuple[str, str]]:
    """Return the list into which (kind, hostname) of everything that happens will be put."""
    told: list[tuple[str, str]] = []
    tailscale.subscribe(lambda kind, device: told.append((kind, device["hostname"])))
    return told


async def test_the_life_of_a_machine_over_the_admin_api(api: Api) -> None:
    """A machine is registered, cut off, connected, renamed and removed, and all are told."""
    told = listen(api.tailscale)
    wanted = {"hostname": "gateway", "tags": ["tag:k8s"], "os": "linux", "ephemeral": False}

    created = await api.admin("POST", "/devices", wanted)
    device = created.json
    path = f"/devices/{device['nodeId']}"
    cut_off = await api.admin("POST", f"{path}/disconnect")
    back = await api.admin("POST", f"{path}/connect")
    renamed = await api.admin("POST", f"{path}/rename", {"name": "other"})
    removed = await api.admin("DELETE", path)

    assert (created.status, removed.status) == (201, 204)
    assert device["addresses"][0] == "100.64.0.1"
    assert (cut_off.json["connectedToControl"], back.json["connectedToControl"]) == (False, True)
    assert ("lastSeen" in cut_off.json, "lastSeen" in back.json) == (True, False)
    assert renamed.json["name"] == "other.ainu-herring.ts.net"
    assert told == [
        (kind, "gateway")
        for kind in ("registered", "disconnected", "connected", "renamed", "removed")
    ]
    for document in (device, cut_off.json, renamed.json):
        api.document.check_named("Device", document)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/devices", {}, 400),
        ("POST", "/devices", {"hostname": "x", "tags": "tag:k8s"}, 400),
        ("POST", "/devices/nobody/connect", None, 404),
        ("DELETE", "/devices/nobody", None, 404),
        ("POST", "/services/svc:none/hosts", {"nodeId": "nobody"}, 404),
        ("PUT", "/state", {"machines": []}, 400),
        ("PUT", "/state", {"devices": [{"nodeId": "n1"}]}, 400),
        ("PUT", "/state", {"devices": [{"hostname": "a", "name": "a"}]}, 400),
        ("PUT", "/state", {"devices": [{"hostname": "a", "nodeId": "n1"}] * 2}, 400),
        ("PUT", "/state", {"split_dns": {"example.com": ["x"]}, "devices": []}, 400),
        ("PUT", "/state", {"devices": [], "webhooks": [{"endpointId": "1"}]}, 400),
        ("PUT", "/state", {"devices": [], "keys": [{"keyType": "client"}]}, 400),
        ("PUT", "/state", {"devices": [], "keys": [{"id": "k1", "keyType": "x"}]}, 400),
        ("PUT", "/state", {"policy": {"text": "[]", "untouched": False}}, 400),
        ("POST", "/events", {"message": "no type"}, 400),
    ],
)
async def test_the_admin_refuses_nonsense(
    api: Api, method: str, path: str, body: Any, status: int
) -> None:
    """A bad admin request says why, and changes nothing at all."""
    api.tailscale.register("gateway", tags=["tag:k8s"])
    before = copy.deepcopy(api.tailscale.saved())

    answer = await api.admin(method, path, body)

    assert answer.status == status
    assert answer.json["error"]
    after = copy.deepcopy(api.tailscale.saved())
    assert after | {"counters": 0} == before | {"counters": 0}


async def test_an_ephemeral_node_that_stays_away_vanishes(api: Api) -> None:
    """After its idle time an ephemeral node is removed; one that came back, or is none, stays."""
    gone = asyncio.Event()
    kinds = {"removed": gone.set}
    api.tailscale.subscribe(lambda kind, _: kinds.get(kind, bool)())
    steady = api.tailscale.register("steady")
    back, away = (api.tailscale.register(name, ephemeral=True) for name in ("back", "away"))

    for device in (steady, back, away):
        api.tailscale.disconnect(device["nodeId"])
    api.tailscale.connect(back["nodeId"])
    async with asyncio.timeout(10):
        await gone.wait()

    assert [device["hostname"] for device in api.tailscale.devices] == ["steady", "back"]


async def test_a_restart_keeps_everything(api: Api, options: Options) -> None:
    """Devices, settings, credentials, tokens and webhook secrets outlive the process."""
    old = api.tailscale
    device = old.register("gateway", tags=["tag:k8s"])
    await api("PATCH", "/tailnet/-/dns/split-dns", {"example.com": ["100.64.0.1"]})
    hook = {"endpointUrl": "http://127.0.0.1:9/hook", "subscriptions": ["nodeCreated"]}
    endpoint = (await api("POST", "/tailnet/-/webhooks", hook)).json
    token = await api.token_for("devices:core", "dns")
    old.courier.cancel(endpoint["endpointId"])
    before = old.dump()
    await old.stop()

    new = api.tailscale = Tailscale(path=options.path, now=options.world.now)
    await new.start()
    try:
        assert new.dump() == before
        assert new.webhooks.secrets[endpoint["endpointId"]] == endpoint["secret"]
        assert (await api("GET", f"/device/{device['nodeId']}", token=token)).status == 200
        assert (await api("GET", "/tailnet/-/webhooks")).json["webhooks"]
        again = new.register("gateway")
        assert again["name"] == "gateway-1.ainu-herring.ts.net"
        assert again["addresses"][0] == "100.64.0.2"
    finally:
        await new.stop()


async def test_a_delivery_outlives_the_process(tmp_path: Path) -> None:
    """What could not be delivered when the stand-in died is delivered when it is back."""
    path = tmp_path / "tailscale.json"
    first = Tailscale(path=path)
    await first.start()
    wanted = {"endpointUrl": "http://127.0.0.1:9/hook", "subscriptions": ["nodeCreated"]}
    first.webhooks.add(wanted, creator="", created="2026-01-01T00:00:00Z")
    first.register("gateway")
    saved = path.read_bytes()
    await first.stop()
    path.write_bytes(saved)

    second = Tailscale(path=path)
    await second.start()
    (delivery,) = second.courier.pending
    await second.stop()

    assert json.loads(delivery.body)[0]["data"]["deviceName"] == "gateway.ainu-herring.ts.net"
    assert delivery.signature.startswith("t=")


async def test_an_idle_time_outlives_the_process(options: Options) -> None:
    """An ephemeral node that was away when the stand-in stopped vanishes after it is back."""
    first = Tailscale(path=options.path)
    await first.start()
    away = first.register("away", ephemeral=True)
    first.disconnect(away["nodeId"])
    await first.stop()

    second = Tailscale(path=options.path, clock=Clock(speed=options.speed))
    gone = asyncio.Event()
    second.subscribe(lambda *_: gone.set())
    await second.start()
    async with asyncio.timeout(10):
        await gone.wait()
    await second.stop()

    assert second.devices == []


async def test_the_admin_shows_no_secrets_and_the_file_has_them(api: Api, options: Options) -> None:
    """`GET /state` has no secret in it; the file that a restart reads has all."""
    hook = {"endpointUrl": "https://example.com/hook", "subscriptions": ["nodeCreated"]}
    endpoint = (await api("POST", "/tailnet/-/webhooks", hook)).json
    token = await api.token_for("dns")
    secrets = [endpoint["secret"], token, api.token, api.tailscale.oauth_client_secret]

    shown = (await api.admin("GET", "/state")).text
    assert options.path
    kept = options.path.read_text()

    assert not [secret for secret in secrets if secret in shown]
    assert not [secret for secret in secrets if secret not in kept]


async def test_the_state_can_be_put_back(api: Api) -> None:
    """A whole state document restores the tailnet, credentials included."""
    device = api.tailscale.register("gateway", tags=["tag:k8s"])
    token = await api.token_for("devices:core")
    before = (await api.admin("GET", "/state")).json
    await api("DELETE", f"/device/{device['nodeId']}")
    await api("POST", "/tailnet/-/dns/nameservers", {"dns": []})

    answer = await api.admin("PUT", "/state", before)

    assert answer.status == 204
    assert (await api.admin("GET", "/state")).json == before
    assert (await api("GET", "/tailnet/-/devices", token=token)).json["devices"] != []


async def test_a_partial_state_keeps_the_rest(api: Api) -> None:
    """Missing parts keep their value; devices are completed, and their changes are told."""
    stays, leaves = api.tailscale.register("stays"), api.tailscale.register("leaves")
    await api("PATCH", "/tailnet/-/dns/split-dns", {"example.com": ["100.64.0.1"]})
    told = listen(api.tailscale)
    changed = stays | {"connectedToControl": False, "name": "moved.ainu-herring.ts.net"}
    changed |= {"addresses": ["100.99.0.1", "fd7a:115c:a1e0::99"]}

    await api.admin("PUT", "/state", {"devices": [changed, {"hostname": "new", "tags": ["tag:a"]}]})

    assert told == [
        ("removed", leaves["hostname"]),
        ("renamed", "stays"),
        ("addressed", "stays"),
        ("disconnected", "stays"),
        ("registered", "new"),
    ]
    new = api.tailscale.devices[1]
    assert new["name"] == "new.ainu-herring.ts.net"
    assert new["addresses"] == ["100.64.0.3", "fd7a:115c:a1e0::6440:3"]
    api.document.check_named("Device", new)
    assert api.tailscale.split_dns == {"example.com": ["100.64.0.1"]}


async def test_a_key_may_be_put_with_its_secret(api: Api) -> None:
    """An OAuth client that the state brings along, secret included, can log in."""
    client = {"id": "kGIVENCNTRL", "keyType": "client", "scopes": ["dns:read"], "tags": []}
    keys = (await api.admin("GET", "/state")).json["keys"]

    await api.admin("PUT", "/state", {"keys": [*keys, client | {"key": "tskey-client-given"}]})

    token = await api.token_of({"id": "kGIVENCNTRL", "key": "tskey-client-given"})
    assert (await api("GET", "/tailnet/-/dns/split-dns", token=token)).status == 200
    assert "tskey-client-given" not in (await api.admin("GET", "/state")).text


async def test_two_fresh_worlds_are_alike() -> None:
    """The same steps give the same ids, names and addresses: a demo reads the same every time."""
    worlds = [Tailscale(now=lambda: 0.0), Tailscale(now=lambda: 0.0)]

    for world in worlds:
        world.register("gateway", tags=["tag:k8s"])

    assert worlds[0].devices == worlds[1].devices
