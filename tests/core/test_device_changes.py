"""Events that Tailscale does not send, from two looks at the devices that carry something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.carriers.device_changes import KEPT, Table, compare, key_warnings
from tailkeeper.planning import plan_world
from tailkeeper.world import Memory
from tests.support.operated import balanced
from tests.support.worlds import SURFACES, Bench, device, route


NOW, PERIOD = 1_800_000_000.0, 300.0  # 2027-01-15T08:00:00Z
SOON, PAST, FAR = "2027-01-17T08:00:00+00:00", "2027-01-14T08:00:00+00:00", "2027-07-01T00:00:00Z"


def look(bench: Bench, known: Table, now: float = NOW) -> tuple[Table, dict[str, str]]:
    """Compare the world with a table; return the next one, and what happened."""
    compared = compare(known, bench.world(), now, PERIOD)
    assert compared
    return compared.table, dict(compared.changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"name": "gw.tail.ts.net"}, "renamed to gw"),
        ({"addresses": ["100.64.0.7"]}, "has now 100.64.0.7"),
        ({"addresses": []}, "has now no address"),
        ({"connected": False}, "is offline"),
        ({"tags": []}, "lost tag:k8s"),
        ({"tags": ["tag:k8s", "tag:more"]}, None),
        ({"expires": FAR}, None),
        ({"expires": SOON}, f"its node key expires {SOON}"),
        ({"expires": PAST}, f"its node key expired {PAST}"),
        ({"name": "gw.tail.ts.net", "connected": False}, "renamed to gw, is offline"),
    ],
)
def test_what_happened_to_a_carrier(change: dict[str, Any], said: str | None) -> None:
    """It is told by the name that people know, once."""
    bench = Bench([route("a")])
    known, nothing = look(bench, {})
    bench.devices[0] |= change

    table, changes = look(bench, known)

    assert nothing == {}
    assert changes == ({"n1": f"device n1 gateway-envoy {said}"} if said else {})
    assert look(bench, table)[1] == {}


def test_a_carrier_that_is_connected_again_is_told() -> None:
    """Offline and online are both news."""
    bench = Bench([route("a")])
    bench.devices[0]["connected"] = False
    known, _ = look(bench, {})
    bench.devices[0]["connected"] = True

    assert look(bench, known)[1] == {"n1": "device n1 gateway-envoy is connected again"}


def test_a_device_is_gone_by_the_second_read_a_sweep_later() -> None:
    """Express runs a sweep twice now and then: two reads at once prove no more than one."""
    bench = Bench([route("a")])
    known, _ = look(bench, {})
    bench.devices.pop(0)

    once, first = look(bench, known)
    twice, second = look(bench, once, NOW + PERIOD - 1)
    gone, third = look(bench, twice, NOW + PERIOD)

    assert first == second == {}
    assert third == {"n1": "device n1 gateway-envoy is not in the tailnet any more"}
    assert look(bench, gone, NOW + PERIOD)[1] == {}


def test_a_device_that_comes_back_was_never_gone() -> None:
    """A short list between two whole ones is no event."""
    bench = Bench([route("a")])
    known, _ = look(bench, {})
    gateway = bench.devices.pop(0)
    once, _ = look(bench, known)
    bench.devices.insert(0, gateway)

    assert look(bench, once, NOW + 9 * PERIOD) == (known, {})


@pytest.mark.parametrize("empty", [True, False])
def test_a_list_that_is_partial_or_empty_proves_nothing(*, empty: bool) -> None:
    """F43: an answer of 200 with no device is not believed either."""
    bench = Bench([route("a")])
    known, _ = look(bench, {})
    world = bench.world()
    partial = {} if empty else {"devices": "Tailscale answered 500"}
    document = {**world.tailnet_document, "devices": [], "partial": partial}

    assert compare(known, replace(world, tailnet_document=document), NOW, PERIOD) is None


def test_a_gateway_that_registered_again_is_two_events() -> None:
    """F05: the new one is seen, the old one stays as an offline twin."""
    bench = Bench([route("a")])
    known, _ = look(bench, {})
    bench.move()

    assert look(bench, known)[1] == {
        "n1": "device n1 gateway-envoy is offline",
        "n2": "device n2 gateway-envoy-1 is seen for the first time",
    }


def test_devices_that_carry_nothing_cost_nothing() -> None:
    """Ten thousand laptops may come, go and be renamed."""
    bench = Bench([route("a")])
    bench.devices += [device(1000 + n, f"laptop-{n}", f"laptop-{n}") for n in range(10_000)]
    known, _ = look(bench, {})
    for laptop in bench.devices[2:5_000]:
        laptop |= {"connected": False, "name": "renamed.tail.ts.net"}

    assert known.keys() == {"n1", "n9"}
    assert look(bench, known) == (known, {})


def test_a_table_is_bounded() -> None:
    """However many twins a broken proxy leaves behind."""
    bench = Bench([route("a")])
    twins = [device(100 + n, f"gateway-envoy-{n}", "gateway-envoy") for n in range(KEPT)]
    bench.devices += [{**twin, "connected": False} for twin in twins]

    table, _ = look(bench, {})

    assert len(table) == KEPT
    assert {"n1", "n9"} <= table.keys(), "who carries something comes first"


def test_an_earlier_device_is_still_followed() -> None:
    """One that carried the gateway once may come back."""
    memory = Memory(carriers={"homelab/tailscale/gw": {"nodes": ["n1", "n5"], "answers": []}})
    bench = Bench([route("a")], memory=memory)
    bench.devices.append(device(5, "old", "old"))

    assert "n5" in look(bench, {})[0]


@pytest.mark.parametrize(("expires", "warned"), [("", False), (FAR, False), (SOON, True)])
def test_a_node_key_that_ends_is_reported_not_acted_on(expires: str, *, warned: bool) -> None:
    """Nobody but its owner can renew it; the plan is the same."""
    bench = Bench([route("a")])
    plain = plan_world(bench.world(), SURFACES, NOW)
    bench.devices[0]["expires"] = expires
    draft = plan_world(bench.world(), SURFACES, NOW)

    assert draft.plan == plain.plan
    assert [f"expires {SOON}" in report for report in draft.reports] == [True] * warned
    assert len(key_warnings(bench.world(), NOW)) == warned


DEVICES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["gateway-envoy.tail.ts.net", "gw.tail.ts.net"]),
        "connected": st.booleans(),
        "tags": st.sampled_from([[], ["tag:k8s"]]),
        "addresses": st.sampled_from([[], ["100.64.0.1"], ["100.64.0.2"]]),
    }
)


@given(st.lists(DEVICES, min_size=1, max_size=6))
def test_what_is_told_once_is_not_told_again(history: list[dict[str, Any]]) -> None:
    """Whatever happens, a second look at the same devices finds nothing."""
    bench, known = Bench([route("a")]), dict[str, Any]()
    for moment in history:
        bench.devices[0] |= moment
        known, _ = look(bench, known)
        assert look(bench, known)[1] == {}


def test_a_tailscale_service_that_was_not_read_is_not_missed() -> None:
    """Reading them takes a scope of its own; what carried something is kept in mind."""
    vip = {"name": "svc:db", "addrs": ["100.100.0.5"]}
    status = [{"hostname": "db.tail.ts.net", "ip": "100.100.0.5"}]
    objects = {"Service": [balanced("db", ingress=status)]}
    bench = Bench([], others=objects, tailnet_services=[vip])
    known, _ = look(bench, {})
    world = replace(bench, tailnet_services=[]).world()
    unread = {**world.tailnet_document, "partial": {"services": "404"}}

    compared = compare(known, replace(world, tailnet_document=unread), NOW + 2 * PERIOD, PERIOD)

    assert compared
    assert compared.table["svc:db"] == known["svc:db"]
    assert compared.changes == {}
