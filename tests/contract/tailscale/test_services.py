"""Tailscale Services: creating, moving and renaming them, and who hosts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api

pytestmark = pytest.mark.anyio

SERVICES = "/tailnet/-/services"
WEB: dict[str, Any] = {"name": "svc:web", "ports": ["tcp:443"]}


async def test_a_new_service_gets_its_addresses(api: Api) -> None:
    """Without addrs a Service gets both addresses; the Go client's fields are kept."""
    extra = {"annotations": {"tailscale.com/owner-references": "{}"}, "displayName": "The Web"}

    created = (await api("PUT", f"{SERVICES}/svc:web", WEB | extra)).json

    assert created == WEB | extra | {"addrs": ["100.64.0.1", "fd7a:115c:a1e0::6440:1"]}
    assert (await api("GET", "/tailnet/-/vip-services/svc:web")).json == created


async def test_a_new_service_may_choose_its_ipv4(api: Api) -> None:
    """One IPv4 address may be given for a new Service."""
    created = (await api("PUT", f"{SERVICES}/svc:web", WEB | {"addrs": ["100.93.49.180"]})).json

    assert created["addrs"] == ["100.93.49.180", twin_of("100.93.49.180")]


def twin_of(address: str) -> str:
    """Return the IPv6 address that the stand-in pairs with an IPv4 one."""
    parts = [int(part) for part in address.split(".")]
    return f"fd7a:115c:a1e0::{parts[0] << 8 | parts[1]:x}:{parts[2] << 8 | parts[3]:x}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("svc:web", {"name": "svc:other"}),
        ("web", {"name": "web"}),
        ("svc:Web", {"name": "svc:Web"}),
        ("svc:web", WEB | {"ports": ["udp:53"]}),
        ("svc:web", WEB | {"addrs": ["10.0.0.1"]}),
        ("svc:web", WEB | {"addrs": ["100.64.0.1"]}),
        ("svc:web", WEB | {"addrs": ["100.80.0.1", "fd7a:115c:a1e0::1"]}),
        ("svc:web", WEB | {"tags": ["tag:unknown"]}),
        ("svc:gateway", {"name": "svc:gateway"}),
        ("svc:api", {"name": "svc:db"}),
        ("svc:api", {"name": "svc:api", "addrs": ["100.64.0.2", "fd7a:115c:a1e0::9"]}),
    ],
)
async def test_bad_services_are_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    """Bad or taken names, addresses, ports and tags are a 400, and nothing changes."""
    api.tailscale.register("gateway")
    for name in ("svc:api", "svc:db"):
        await api("PUT", f"{SERVICES}/{name}", {"name": name})
    before = api.tailscale.dump()["services"]

    answer = await api("PUT", f"{SERVICES}/{path}", body)

    assert answer.status == 400
    assert api.tailscale.dump()["services"] == before


async def test_a_service_moves_and_is_renamed(api: Api) -> None:
    """An update may change the IPv4 address, not the IPv6 one; a new name takes its hosts along."""
    device = api.tailscale.register("proxy")
    created = (await api("PUT", f"{SERVICES}/svc:web", WEB)).json
    await api.admin("POST", "/services/svc:web/hosts", {"nodeId": device["nodeId"]})
    moved = {"name": "svc:www", "addrs": ["100.80.0.9", created["addrs"][1]]}

    renamed = (await api("PUT", f"{SERVICES}/svc:web", moved)).json

    assert renamed == moved
    assert (await api("GET", f"{SERVICES}/svc:web")).status == 404
    hosts = (await api("GET", f"{SERVICES}/svc:www/devices")).json["hosts"]
    assert [host["stableNodeID"] for host in hosts] == [device["nodeId"]]


async def test_hosts_are_approved(api: Api) -> None:
    """A host is approved by hand or by itself; who hosts nothing is not found; gone is gone."""
    device, other = api.tailscale.register("proxy"), api.tailscale.register("other")
    await api("PUT", f"{SERVICES}/svc:web", WEB)
    api.tailscale.vips.host("svc:web", device["nodeId"])
    path = f"{SERVICES}/svc:web/device/{device['nodeId']}/approved"

    seen = [
        (await api("GET", path)).json,
        (await api("POST", path, {"approved": False})).json,
        (await api("POST", path, {"approved": True})).json,
    ]

    assert seen == [
        {"approved": True, "autoApproved": True},
        {"approved": False, "autoApproved": False},
        {"approved": True, "autoApproved": False},
    ]
    strange = f"{SERVICES}/svc:web/device/{other['nodeId']}/approved"
    assert (await api("POST", strange, {"approved": True})).status == 404
    api.tailscale.remove(device["nodeId"])
    assert (await api("GET", f"{SERVICES}/svc:web/devices")).json == {"hosts": []}
