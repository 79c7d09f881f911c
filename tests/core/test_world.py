"""The world as one run saw it: exposures, carriers, ghosts, and what is not proven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.carriers.gateways import GatewayDevice, Refusal
from tailkeeper.config import Config
from tailkeeper.world import Memory
from tests.support.worlds import Bench, device, route


if TYPE_CHECKING:
    from tailkeeper.world import World

GATEWAY, RESOLVER = "homelab/tailscale/gw", "homelab/dns/dns"


def moved(*, event: str = "", catches_up: bool = True) -> World:
    """Return the world after the gateway's proxy was recreated."""
    bench = Bench([route("a")])
    carrier, addresses = bench.carrier, bench.addresses
    bench.move()
    if not catches_up:
        bench.carrier, bench.addresses = carrier, addresses
    return replace(bench.world(), event_nodes=frozenset(filter(None, [event])))


def test_every_gateway_and_resolver_has_a_carrier_or_a_reason() -> None:
    """By the key under which memory, refusals and changes know it."""
    bench = Bench([route("a")])
    bench.devices[1]["connected"] = False

    carriers = bench.world().carriers

    gateway, resolver = carriers[GATEWAY], carriers[RESOLVER]
    assert isinstance(gateway, GatewayDevice)
    assert gateway.addresses == ("100.64.0.1", "fd7a:115c:a1e0::1")
    assert isinstance(resolver, Refusal)
    assert "offline" in resolver.reasons[0]


def test_an_offline_twin_is_reported_and_never_followed() -> None:
    """F05: the live device is the gateway's, whatever its display name."""
    world = moved()

    carrier = world.carriers[GATEWAY]
    assert isinstance(carrier, GatewayDevice)
    assert (carrier.node_id, carrier.name) == ("n2", "gateway-envoy-1.tail.ts.net")
    (ghost,) = world.ghosts
    assert ghost.startswith("gateway-envoy.tail.ts.net (n1, offline) is an offline twin of")
    asked = replace(world, config=replace(world.config, ghosts="remove"))
    assert asked.ghosts[0].endswith("deleting it is beyond undo, so that is for a person to do")


@pytest.mark.parametrize(
    ("event", "catches_up", "why"),
    [
        ("n2", True, ""),
        ("", True, ""),
        ("n2", False, "looks like Gateway tailscale/gw's, which does not name it yet"),
        ("", False, "names gateway-envoy.tail.ts.net (n1, offline)"),
        ("n77", True, ""),
    ],
)
def test_a_world_is_unsettled_while_the_cluster_lags_behind_the_tailnet(
    event: str, why: str, *, catches_up: bool
) -> None:
    """The event came first: it is worth a second look before anything is refused."""
    unsettled = moved(event=event, catches_up=catches_up).unsettled

    assert why in " ".join(unsettled)
    assert bool(unsettled) == bool(why)


@pytest.mark.parametrize(
    ("nodes", "devices", "carrier"),
    [
        (["n1"], [device(1, "gateway-envoy", "gateway-envoy")], "n1"),
        ([], [device(1, "gateway-envoy", "gateway-envoy")], "n1"),
        (["n1"], [device(1, "gateway-envoy", "gateway-envoy", connected=False)], ""),
        ([], [device(n, f"gateway-envoy-{n}", "gateway-envoy") for n in (1, 2)], ""),
        (["n2"], [device(n, f"gateway-envoy-{n}", "gateway-envoy") for n in (1, 2)], "n2"),
    ],
)
def test_without_the_cluster_the_memory_then_the_name_decides(
    nodes: list[str], devices: list[dict[str, Any]], carrier: str
) -> None:
    """F41: the remembered device while it is connected, else the only one that fits; no guess."""
    bench = Bench([], devices=[*devices, device(9, "dns", "dns")])
    bench.memory = Memory(carriers={GATEWAY: {"nodes": nodes, "answers": []}})
    document = {"cluster": "homelab", "complete": False, "objects": {}}
    unread = dict.fromkeys(("Gateway", "HTTPRoute", "Namespace", "Service", "StateSecret"), "dead")
    world = replace(bench.world(), clusters={"homelab": {**document, "partial": unread}})

    found = world.carriers[GATEWAY]

    assert (found.node_id if isinstance(found, GatewayDevice) else "") == carrier


def test_exposures_come_from_clusters_and_from_the_configuration() -> None:
    """What a person declared stands beside what routes publish."""
    bench = Bench([route("a"), route("docs", expose=False)])
    nas = {"host": "nas.example.com", "target": "100.64.0.9", "views": ["tailnet"]}
    config = Config.from_json({**bench.config.as_json(), "exposures": [nas]})

    world = replace(bench.world(), config=config)

    assert {e.host: (e.source, e.published) for e in world.exposures} == {
        "a.example.com": ("httproute/apps/a", True),
        "docs.example.com": ("httproute/apps/docs", False),
        "nas.example.com": ("config/exposures/nas.example.com", False),
    }


def test_one_clusters_partial_read_is_every_zones_doubt() -> None:
    """A zone's mark does not say which cluster asked for the name."""
    bench = Bench([route("a")], partial={"Gateway": "timed out"})

    world = bench.world()

    routes = ("httproute", "grpcroute", "tlsroute", "tcproute", "udproute")
    assert world.partial == dict.fromkeys(
        [*routes, *(f"homelab/{kind}" for kind in routes)], "Gateway: timed out"
    )


def test_a_route_that_waits_for_judgement_keeps_its_hosts() -> None:
    """F04: of these, this read proves nothing."""
    bench = Bench([route("a"), route("b")])
    bench.routes[0]["status"] = {}

    assert bench.world().kept == {"a.example.com"}


def test_what_a_zone_holds_is_sorted_once() -> None:
    """By zone and name: planning, the guard and the proof look at the same."""
    bench = Bench([route("a")])
    plan = bench.plan()
    assert plan
    bench.apply(plan.with_word("apply"))
    bench.add(name="www.example.com", type="A", content="203.0.113.1")

    world = bench.world()

    held = world.held["example.com"]
    assert {name: bool(h.ours) for name, h in held.items()} == {
        "a.example.com": True,
        "www.example.com": False,
    }
    assert world.held is world.held
