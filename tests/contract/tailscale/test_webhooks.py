"""Webhooks: who is sent what, under which signature, and how often."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from sandbox.tailscale.webhooks import signature


if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.contract.tailscale.conftest import Api, Options

pytestmark = pytest.mark.anyio

HOUR = 3600
SAMPLES = "tailscale/webhook-events.sample.json"


def vectors(specs: Path) -> list[dict[str, Any]]:
    """Return the published test vectors of Tailscale's signature."""
    folder = specs / "vectors"
    found: list[dict[str, Any]] = json.loads((folder / "webhook-signatures.json").read_text())[
        "tailscale"
    ]
    for vector in found:
        if "body_file" in vector:
            vector["body"] = (folder / vector["body_file"]).read_text()
    return found


def test_signatures_equal_the_vectors(specs: Path) -> None:
    """The header is what openssl computes from secret, time and raw body."""
    for vector in vectors(specs):
        signed = signature(vector["secret"], vector["body"].encode(), vector["t"])
        assert signed == vector["header"]


@dataclass
class Receiver:
    """A webhook endpoint that answers as it is told, 200 when it is told nothing."""

    url: str = ""
    received: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.Response:
        """Keep signature and body, and answer."""
        async with self.arrived:
            signed = request.headers["Tailscale-Webhook-Signature"]
            self.received.append((signed, await request.read()))
            self.arrived.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def wait(self, count: int) -> list[Any]:
        """Return the payloads as soon as so many have arrived."""
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
async def receiver(anyio_backend: str) -> AsyncIterator[Receiver]:
    """Start an endpoint on loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def subscribe(api: Api, receiver: Receiver, *kinds: str, **more: str) -> dict[str, Any]:
    """Register the endpoint and return it with its secret."""
    wanted = {"endpointUrl": receiver.url, "subscriptions": list(kinds or ["nodeCreated"])}
    endpoint: dict[str, Any] = (await api("POST", "/tailnet/-/webhooks", wanted | more)).json
    return endpoint


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event with the types of its values in place of the values."""
    fields: dict[str, Any] = {key: type(value) for key, value in event.items()}
    data = event["data"] or {}
    return fields | {"data": {key: type(value) for key, value in data.items()}}


async def test_a_signed_array_of_events(api: Api, receiver: Receiver, options: Options) -> None:
    """A new node is announced in an array, signed over the raw body with the endpoint's secret."""
    endpoint = await subscribe(api, receiver)

    device = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])

    ((event,),) = await receiver.wait(1)
    signed, body = receiver.received[0]
    assert signed == signature(endpoint["secret"], body, int(options.world.time))
    assert event == {
        "timestamp": "2026-09-21T10:13:20.000000-04:00",
        "version": 1,
        "type": "nodeCreated",
        "tailnet": "example.com",
        "message": "Node gateway-envoy.ainu-herring.ts.net created",
        "data": {
            "nodeID": device["nodeId"],
            "deviceName": "gateway-envoy.ainu-herring.ts.net",
            "managedBy": "tag:k8s",
            "actor": "tag:k8s",
            "url": "https://login.tailscale.com/admin/machines/100.64.0.1",
        },
    }


@pytest.mark.parametrize("by", ["api key", "client", "admin", "itself"])
async def test_an_event_names_its_actor(api: Api, receiver: Receiver, by: str) -> None:
    """A deletion is signed with who did it: a login, an OAuth client, or the device's manager."""
    await subscribe(api, receiver, "nodeDeleted")
    device = api.tailscale.register("laptop", user="alice@example.com")
    client = await api.token_for("devices:core")

    if by == "itself":
        api.tailscale.remove(device["nodeId"])
    elif by == "admin":
        await api.admin("DELETE", f"/devices/{device['nodeId']}")
    else:
        token = client if by == "client" else api.token
        await api("DELETE", f"/device/{device['nodeId']}", token=token)

    ((event,),) = await receiver.wait(1)
    assert (
        event["data"]["actor"]
        == {
            "api key": "admin@example.com",
            "admin": "admin@example.com",
            "client": api.tailscale.keys.all[-1]["id"],
            "itself": "alice@example.com",
        }[by]
    )


async def test_payloads_have_the_documented_shape(
    api: Api, receiver: Receiver, specs: Path
) -> None:
    """Each event that the stand-in sends has the fields and types of the documented sample."""
    endpoint = await subscribe(api, receiver, "categoryTailnetManagement")
    await api("PATCH", "/tailnet/-/settings", {"devicesApprovalOn": True})
    device = api.tailscale.register("laptop", user="alice@example.com", preauthorized=False)
    path = f"/device/{device['nodeId']}"
    await api("POST", f"{path}/authorized", {"authorized": True})
    await api("POST", f"{path}/authorized", {"authorized": True})
    await api("POST", f"{path}/expire")
    await api("POST", "/tailnet/-/acl", '{"acls": []}')
    await api("DELETE", path)
    await api("POST", f"/webhooks/{endpoint['endpointId']}/test")

    payloads = await receiver.wait(6)

    sent = {event["type"]: event for events in payloads for event in events}
    samples = {one["type"]: one for one in json.loads((specs / SAMPLES).read_text())}
    assert set(sent) == set(samples) - {"nodeKeyExpiringInOneDay", "userRoleUpdated"}
    for kind, event in sent.items():
        assert shape(event) == shape(samples[kind]), kind
        assert re.sub(r"\S+\.ts\.net", "", event["message"]) == re.sub(
            r"\S+\.ts\.net", "", samples[kind]["message"]
        )
    assert sorted(len(events) for events in payloads) == [1, 1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("subscriptions", "expected"),
    [
        (["nodeDeleted"], ["nodeDeleted"]),
        (["categoryTailnetManagement"], ["nodeCreated", "nodeDeleted"]),
        (["categoryDeviceMisconfigurations", "nodeCreated"], ["nodeCreated"]),
    ],
)
async def test_only_what_was_subscribed_to(
    api: Api, receiver: Receiver, subscriptions: list[str], expected: list[str]
) -> None:
    """An endpoint gets the types of its list and of its categories, and nothing else."""
    endpoint = await subscribe(api, receiver, *subscriptions)
    device = api.tailscale.register("gateway")
    api.tailscale.disconnect(device["nodeId"])
    api.tailscale.connect(device["nodeId"])
    api.tailscale.rename(device["nodeId"], "other")
    api.tailscale.remove(device["nodeId"])
    await api("POST", f"/webhooks/{endpoint['endpointId']}/test")

    payloads = await receiver.wait(len(expected) + 1)

    kinds = [event["type"] for events in payloads for event in events]
    assert sorted(kinds) == sorted([*expected, "test"])


async def test_a_failed_delivery_is_repeated_hourly(
    api: Api, receiver: Receiver, options: Options
) -> None:
    """Anything but 2xx is tried again an hour later: same bytes, same time, same signature."""
    await subscribe(api, receiver)
    receiver.answers = [500, 302, 404]
    options.world.time += 10

    api.tailscale.register("gateway")
    await receiver.wait(4)

    assert len(set(receiver.received)) == 1
    assert receiver.received[0][0].startswith(f"t={int(options.world.time)},")


async def test_delivery_ends_after_a_day(api: Api, receiver: Receiver) -> None:
    """After the first attempt there are 24 more, then the event is lost."""
    await subscribe(api, receiver)
    receiver.answers = [503] * 100

    over = asyncio.Event()
    api.tailscale.courier.settled = over.set

    api.tailscale.register("gateway")
    async with asyncio.timeout(10):
        await over.wait()

    assert len(receiver.received) == 25
    assert api.tailscale.courier.pending == []


@pytest.fixture
def options(options: Options, request: pytest.FixtureRequest) -> Options:
    """Let an hour pass in 5 ms where retries are awaited."""
    if request.node.name in {
        "test_a_failed_delivery_is_repeated_hourly",
        "test_delivery_ends_after_a_day",
    }:
        options.speed = HOUR / 0.005
    return options


async def test_a_deleted_endpoint_hears_that_and_no_more(api: Api, receiver: Receiver) -> None:
    """Retries end with their endpoint; the last thing it is told is that it was deleted."""
    endpoint = await subscribe(api, receiver)
    receiver.answers = [500]
    api.tailscale.register("gateway")
    await receiver.wait(1)

    await api("DELETE", f"/webhooks/{endpoint['endpointId']}")
    api.tailscale.register("other")

    payloads = await receiver.wait(2)
    assert payloads[1][0]["type"] == "webhookDeleted"
    assert (await api("GET", "/tailnet/-/webhooks")).json == {"webhooks": []}


async def test_subscriptions_change_and_the_url_does_not(api: Api, receiver: Receiver) -> None:
    """`PATCH` changes subscriptions only, and the endpoint is told under any subscription."""
    endpoint = await subscribe(api, receiver)
    path = f"/webhooks/{endpoint['endpointId']}"
    wanted = {"subscriptions": ["nodeDeleted"], "endpointUrl": "https://elsewhere.example"}

    changed = (await api("PATCH", path, wanted)).json

    payloads = await receiver.wait(1)
    assert payloads[0][0]["type"] == "webhookUpdated"
    assert changed["subscriptions"] == ["nodeDeleted"]
    assert changed["endpointUrl"] == receiver.url
    assert "secret" not in changed


async def test_rotation_kills_the_old_secret_at_once(api: Api, receiver: Receiver) -> None:
    """After a rotation only the new secret signs; neither is shown again."""
    endpoint = await subscribe(api, receiver)
    path = f"/webhooks/{endpoint['endpointId']}"

    rotated = (await api("POST", f"{path}/rotate")).json
    await api("POST", f"{path}/test")

    await receiver.wait(1)
    signed, body = receiver.received[0]
    at = int(signed.partition(",")[0].removeprefix("t="))
    assert endpoint["secret"] != rotated["secret"]
    assert rotated["secret"].startswith("tskey-webhook-")
    assert signed == signature(rotated["secret"], body, at)
    assert "secret" not in (await api("GET", path)).json


@pytest.mark.parametrize(
    ("provider", "field_name"),
    [("slack", "text"), ("mattermost", "text"), ("googlechat", "text"), ("discord", "content")],
)
async def test_chat_providers_get_text(
    api: Api, receiver: Receiver, provider: str, field_name: str
) -> None:
    """An endpoint with a provider type is sent that provider's format, not the events."""
    await subscribe(api, receiver, providerType=provider)
    api.tailscale.register("gateway")

    (sent,) = await receiver.wait(1)

    assert sent == {field_name: "Node gateway.ainu-herring.ts.net created"}


async def test_who_made_an_endpoint(api: Api, receiver: Receiver) -> None:
    """An endpoint made with an OAuth client has a blank creator."""
    by_key = await subscribe(api, receiver)
    api.token = await api.token_for("webhooks")
    by_client = await subscribe(api, receiver)

    assert by_key["creatorLoginName"] == "admin@example.com"
    assert by_client["creatorLoginName"] == ""


async def test_any_event_can_be_sent_from_the_admin(api: Api, receiver: Receiver) -> None:
    """The admin sends events as they are given, together, to who is subscribed to their types."""
    await subscribe(api, receiver, "userRoleUpdated", "exitNodeIPForwardingNotEnabled")
    given = [
        {"type": "userRoleUpdated", "data": {"oldRoles": ["Member"]}},
        {"type": "exitNodeIPForwardingNotEnabled", "message": "careful"},
        {"type": "nodeSigned"},
    ]

    answer = await api.admin("POST", "/events", given)

    ((roles, exit_node),) = await receiver.wait(1)
    assert answer.status == 202
    assert roles["data"] == {"oldRoles": ["Member"]}
    assert (exit_node["message"], exit_node["data"]) == ("careful", None)
