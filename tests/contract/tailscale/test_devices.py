"""Devices: names, addresses, what the API shows of them, and what it lets one change."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.tailscale.devices import ONLY_WITH_ALL, free_label
from sandbox.tailscale.ids import RANGE_V6, Ids, assignable, twin


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api, Options

pytestmark = pytest.mark.anyio

DEVICES = "/tailnet/-/devices"


async def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    """Return the devices that the API lists."""
    devices: list[dict[str, Any]] = (await api("GET", f"{DEVICES}{query}")).json["devices"]
    return devices


async def test_a_fresh_device_in_the_default_view(api: Api) -> None:
    """A device has its FQDN without a dot, no tags, and no lastSeen while it is connected."""
    api.tailscale.register("Alice's Laptop", user="alice@example.com", os="macOS")

    (device,) = await listed(api)

    assert device["name"] == "alice-s-laptop.ainu-herring.ts.net"
    assert device["hostname"] == "Alice's Laptop"
    assert device["addresses"] == ["100.64.0.1", "fd7a:115c:a1e0::6440:1"]
    assert device["connectedToControl"] is True
    assert device["user"] == "alice@example.com"
    assert {"lastSeen", "tags"}.isdisjoint(device)


async def test_default_fields_are_the_documented_ones(api: Api) -> None:
    """`fields=default` shows only what the document lists, `fields=all` shows more."""
    device = api.tailscale.register("gateway", tags=["tag:k8s"])
    api.tailscale.disconnect(device["nodeId"])
    text = api.document.spec["components"]["parameters"]["fields"]["description"]
    documented = set(re.findall(r"^  - `(\w+)`", text, re.MULTILINE))

    (by_default,), (everything,) = await listed(api), await listed(api, "?fields=all")

    assert set(by_default) == documented
    assert set(everything) - documented == ONLY_WITH_ALL - {
        "postureIdentity",
        "multipleConnections",
    }


@pytest.mark.parametrize("twin_is", ["connected", "offline"])
async def test_a_taken_name_gets_a_suffix(api: Api, twin_is: str) -> None:
    """A name is taken by a twin even if it is offline; the hostname stays unsuffixed."""
    old = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])
    if twin_is == "offline":
        api.tailscale.disconnect(old["nodeId"])

    new = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])
    third = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])

    assert new["name"] == "gateway-envoy-1.ainu-herring.ts.net"
    assert third["name"] == "gateway-envoy-2.ainu-herring.ts.net"
    assert {d["hostname"] for d in await listed(api)} == {"gateway-envoy"}


async def test_a_name_is_free_again_and_an_address_is_not(api: Api) -> None:
    """A deleted device gives its name back; a new one gets an address that nothing ever had."""
    old = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])
    await api("DELETE", f"/device/{old['nodeId']}")

    new = api.tailscale.register("gateway-envoy", tags=["tag:k8s"])

    assert new["name"] == old["name"]
    assert new["addresses"] != old["addresses"]
    assert new["nodeId"] != old["nodeId"]


async def test_services_and_machines_share_their_names(api: Api) -> None:
    """A machine yields to a Service of its name, and a Service is refused a machine's name."""
    await api("PUT", "/tailnet/-/services/svc:web", {"name": "svc:web"})

    machine = api.tailscale.register("web")
    refused = await api("PUT", "/tailnet/-/services/svc:web-1", {"name": "svc:web-1"})

    assert machine["name"] == "web-1.ainu-herring.ts.net"
    assert refused.status == 400


@pytest.mark.parametrize("key", ["nodeId", "id"])
async def test_either_id_finds_a_device(api: Api, key: str) -> None:
    """The nodeId and the numeric id are both accepted."""
    device = api.tailscale.register("gateway")

    found = await api("GET", f"/device/{device[key]}?fields=all")

    assert found.json == device


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?hostname=gateway", ["gateway", "gateway-1"]),
        ("?hostname=gateway&connectedToControl=false", ["gateway"]),
        ("?tags=tag:k8s&tags=tag:prod", ["gateway-1"]),
        ("?tags=tag:k", []),
        ("?isEphemeral=true", ["runner"]),
        ("?sshEnabled=false&os=linux&fields=all", ["gateway", "gateway-1", "runner"]),
        ("?name=runner.ainu-herring.ts.net", ["runner"]),
        ("?unknown=1", []),
    ],
)
async def test_filters_are_exact_and_combined(api: Api, query: str, names: list[str]) -> None:
    """`<field>=<value>` filters match whole values or members of lists, all together."""
    old = api.tailscale.register("gateway", tags=["tag:k8s"])
    api.tailscale.disconnect(old["nodeId"])
    api.tailscale.register("gateway", tags=["tag:k8s", "tag:prod"])
    api.tailscale.register("runner", ephemeral=True)

    found = [device["name"].partition(".")[0] for device in await listed(api, query)]

    assert found == names


@pytest.mark.parametrize(
    ("wanted", "status", "name"),
    [
        ("pangolin", 200, "pangolin"),
        ("Pangolin.ainu-herring.ts.net", 200, "pangolin"),
        ("", 200, "gateway-1"),
        ("gateway", 400, "gateway-2"),
        ("svc-web", 400, "gateway-2"),
        ("two words", 400, "gateway-2"),
        ("name.example.com", 400, "gateway-2"),
    ],
)
async def test_renaming(api: Api, wanted: str, status: int, name: str) -> None:
    """A device takes a free label or FQDN; an empty one is made from its hostname again."""
    api.tailscale.register("gateway")
    ghost = api.tailscale.register("gateway")
    device = api.tailscale.register("gateway")
    api.tailscale.remove(ghost["nodeId"])
    await api("PUT", "/tailnet/-/services/svc:svc-web", {"name": "svc:svc-web"})
    told: list[str] = []
    api.tailscale.subscribe(lambda kind, _: told.append(kind))

    answer = await api("POST", f"/device/{device['nodeId']}/name", {"name": wanted})

    assert answer.status == status
    assert device["name"] == f"{name}.ainu-herring.ts.net"
    assert told == (["renamed"] if status == 200 else [])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("100.80.0.1", 200),
        ("100.64.0.1", 400),
        ("100.64.0.3", 400),
        ("100.100.100.100", 400),
        ("100.115.92.7", 400),
        ("10.0.0.1", 400),
        ("fd7a:115c:a1e0::1", 400),
    ],
)
async def test_another_address(api: Api, address: str, status: int) -> None:
    """A device takes a free address of the tailnet's range; its IPv6 address stays."""
    api.tailscale.register("other")
    device = api.tailscale.register("gateway")
    await api("PUT", "/tailnet/-/services/svc:web", {"name": "svc:web"})

    answer = await api("POST", f"/device/{device['nodeId']}/ip", {"ipv4": address})

    assert answer.status == status
    expected = address if status == 200 else "100.64.0.2"
    assert device["addresses"] == [expected, "fd7a:115c:a1e0::6440:2"]


@pytest.mark.parametrize(
    ("wanted", "status", "tags"),
    [
        (["tag:k8s-operator"], 200, ["tag:k8s-operator"]),
        (["tag:unknown"], 400, ["tag:k8s"]),
        ([], 400, ["tag:k8s"]),
    ],
)
async def test_retagging(api: Api, wanted: list[str], status: int, tags: list[str]) -> None:
    """Only tags of the policy file may be set, and the last one does not come off."""
    device = api.tailscale.register("gateway", tags=["tag:k8s"])

    answer = await api("POST", f"/device/{device['nodeId']}/tags", {"tags": wanted})

    assert answer.status == status
    assert device["tags"] == tags


async def test_an_expired_key_cuts_the_device_off(api: Api, options: Options) -> None:
    """Expiring a key sets its time to now; until it authenticates again the device is away."""
    device = api.tailscale.register("laptop", user="alice@example.com")
    options.world.time += 60

    await api("POST", f"/device/{device['nodeId']}/expire")

    assert device["expires"] == device["lastSeen"] == "2026-09-21T14:14:20Z"
    assert device["connectedToControl"] is False


@pytest.mark.parametrize(("days", "expires"), [(180, "2027-03-20"), (1, "2026-09-22")])
async def test_keys_expire_as_the_settings_say(api: Api, days: int, expires: str) -> None:
    """A new device's key lasts as long as the tailnet's setting; a tagged one does not expire."""
    await api("PATCH", "/tailnet/-/settings", {"devicesKeyDurationDays": days})

    laptop = api.tailscale.register("laptop", user="alice@example.com")
    proxy = api.tailscale.register("proxy", tags=["tag:k8s"])

    assert laptop["expires"] == f"{expires}T14:13:20Z"
    assert (laptop["keyExpiryDisabled"], proxy["keyExpiryDisabled"]) == (False, True)


async def test_a_shared_device_is_not_ours_to_change(api: Api) -> None:
    """A device shared in from another tailnet is shown; it can be neither changed nor deleted."""
    shared = {"name": "hello.other.ts.net", "isExternal": True}
    await api.admin("PUT", "/state", {"devices": [shared | {"created": ""}]})
    (device,) = await listed(api)

    renamed = await api("POST", f"/device/{device['nodeId']}/name", {"name": "mine"})
    deleted = await api("DELETE", f"/device/{device['nodeId']}")

    assert (device["hostname"], device["created"]) == ("hello", "")
    assert renamed.status == 404
    assert deleted.status == 501


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80), st.sets(st.sampled_from(["device", "device-1", "a", "a-1", "a-2"])))
def test_names_are_labels_and_unique(hostname: str, taken: set[str]) -> None:
    """Whatever the hostname, the name is a DNS label that nothing else has."""
    name = free_label(hostname, taken)

    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= 63
    assert name not in taken


def test_addresses_are_assignable_and_paired() -> None:
    """Addresses count up, skip what is used and reserved, and carry over into IPv6."""
    ids = Ids()
    ids.counters["address"] = (
        int(ipaddress.IPv4Address("100.115.91.255")) - int(ipaddress.IPv4Address("100.64.0.0")) - 1
    )

    given_out = [ids.address({"100.115.94.0"}) for _ in range(2)]

    assert given_out == ["100.115.91.255", "100.115.94.1"]
    assert all(assignable(address) for address in given_out)
    assert ipaddress.IPv6Address(twin("100.115.94.1")) in RANGE_V6
