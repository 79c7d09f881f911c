"""What must not be believed is not applied: the last good answers stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

ZONE = "hearth.example"
ALWAYS = 10_000


@pytest.fixture
def lying(in_step: Embedded) -> Iterator[Embedded]:
    """Return the world, whose stand-ins are honest again afterwards."""
    yield in_step
    for part in ("tailscale", "cloudflare", "kubernetes"):
        in_step.admin(part, "DELETE", "/faults")


def answers(world: Embedded) -> Any:
    """Return all that was ever written: records, hosts file, split DNS."""
    hosts = world.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "json")
    return world.records(ZONE), json.loads(hosts)["data"], world.tailnet()["split_dns"]


def lie(world: Embedded, part: str, path: str, body: Any, status: int = 200) -> None:
    """Let a stand-in answer reads of a path with this document from now on."""
    fault = {"method": "GET", "path": path, "times": ALWAYS, "status": status, "body": body}
    world.admin(part, "POST", "/faults", fault)


def with_addresses(*addresses: str) -> Callable[[Embedded], None]:
    """Return a lie: Service and Gateway have these addresses, and no Secret names a device."""

    def lies(world: Embedded) -> None:
        for kind, path in (
            ("services", "/api/v1/services"),
            ("gateways", "/apis/gateway.networking.k8s.io/v1/gateways"),
        ):
            listed = json.loads(world.kubectl("get", kind, "-A", "-o", "json"))
            for thing in listed["items"]:
                if "front-door" in thing["metadata"]["name"]:
                    thing["status"] = _status(kind, addresses)
            lie(world, "kubernetes", path, listed)
        lie(world, "kubernetes", "/api/v1/secrets", {"kind": "SecretList", "items": []})
        lie(world, "kubernetes", "*/secrets", {"kind": "SecretList", "items": []})

    return lies


def _status(kind: str, addresses: tuple[str, ...]) -> dict[str, Any]:
    if kind == "services":
        return {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}
    return {"addresses": [{"type": "IPAddress", "value": address} for address in addresses]}


def no_devices(world: Embedded) -> None:
    """F43: the tailnet answers 200 with an empty list."""
    lie(world, "tailscale", "*/devices", {"devices": []})


def no_routes(world: Embedded) -> None:
    """F02: the API server does not tell of any route."""
    lie(world, "kubernetes", "*/httproutes", {"kind": "Status", "code": 504}, status=504)


@pytest.mark.parametrize(
    "lies",
    [
        with_addresses("192.168.1.5"),
        with_addresses("100.64.0.77", "100.64.0.78"),
        with_addresses("2001:db8::1"),
        no_devices,
        no_routes,
    ],
    ids=["F08-lan", "F08-two", "F08-ipv6", "F43-no-devices", "F02-no-routes"],
)
def test_last_good_answers_stay(lying: Embedded, lies: Callable[[Embedded], None]) -> None:
    """A reading that cannot be right changes no answer, whatever it says."""
    before = answers(lying)
    lies(lying)

    output = lying.converge()

    assert output["outcome"] in {"refused", "in_sync"}, output
    assert answers(lying) == before


def test_gateway_that_is_gone(lying: Embedded) -> None:
    """An offline device is waited for, then refused with the reason; its names stay."""
    device = lying.devices("gateway-envoy")[0]
    before = answers(lying)
    lying.admin("tailscale", "POST", f"/devices/{device['nodeId']}/disconnect")

    output = lying.converge()

    lying.admin("tailscale", "POST", f"/devices/{device['nodeId']}/connect")
    assert output["outcome"] in {"refused", "in_sync"}, output
    assert answers(lying) == before
