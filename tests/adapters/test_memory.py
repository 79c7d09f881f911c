"""The memory: which devices were a gateway's, and since when complete reads miss a name."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.memory import KEPT, Memories
from tailkeeper.adapters.stack import stack
from tailkeeper.model import Change, Plan
from tests.support.worlds import PLACE, Bench, device, route


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.adapters.stack import Stack
    from tailkeeper.model import Surface
    from tests.support.line import Line

GATEWAY = "homelab/tailscale/gw"
MISSING = {("example.com", "b.example.com"), (PLACE, "b.example.com")}


@pytest.fixture
def bench() -> Bench:
    """Return a world in step, from which one of two routes can vanish."""
    made = Bench([route("a"), route("b")])
    plan = made.plan()
    assert plan
    made.apply(plan.with_word("apply"))
    return made


def remembered(aws: Stack, bench: Bench, now: float) -> Memories:
    """Let a run plan and remember, and the next one load what it left."""
    memories = Memories(aws)
    memories.save(bench.world(), bench.plan(now), now)
    bench.memory = memories.load()
    return memories


def test_a_carriers_device_and_answers_are_remembered_newest_first(
    aws: Stack, bench: Bench
) -> None:
    """Its former name and addresses are what an old record may say."""
    remembered(aws, bench, 0)
    bench.devices[0]["connected"] = False
    bench.devices.append(device(2, "gateway-envoy-1", "gateway-envoy"))
    bench.carrier, bench.addresses = 2, ["100.64.0.2"]
    remembered(aws, bench, 300)

    assert bench.memory.nodes(GATEWAY) == ("n2", "n1")
    assert bench.memory.answers(GATEWAY) == {
        "gateway-envoy.tail.ts.net",
        "gateway-envoy-1.tail.ts.net",
        *("100.64.0.1", "100.64.0.2"),
        *("fd7a:115c:a1e0::1", "fd7a:115c:a1e0::2"),
    }


def test_a_refused_carrier_is_not_forgotten(aws: Stack, bench: Bench) -> None:
    """While its device is offline, what it was stays known."""
    remembered(aws, bench, 0)
    bench.devices[0]["connected"] = False
    remembered(aws, bench, 300)

    assert bench.memory.nodes(GATEWAY) == ("n1",)


def test_only_the_newest_devices_are_kept(aws: Stack, bench: Bench) -> None:
    """A proxy that is recreated every hour does not fill the item."""
    for number in range(1, KEPT + 5):
        bench.devices[0] = device(number, f"gateway-envoy-{number}", "gateway-envoy")
        bench.carrier, bench.addresses = number, [f"100.64.0.{number}"]
        remembered(aws, bench, 0)

    assert bench.memory.nodes(GATEWAY) == tuple(f"n{n}" for n in range(KEPT + 4, 4, -1))


def test_a_name_is_missing_since_the_first_complete_read(aws: Stack, bench: Bench) -> None:
    """The stamp stays while it is missing, and goes when it comes back."""
    gone = bench.routes.pop()
    remembered(aws, bench, 1000)
    remembered(aws, bench, 1200)
    assert bench.memory.missing_since == dict.fromkeys(MISSING, 1000)

    bench.routes.append(gone)
    remembered(aws, bench, 1300)
    assert bench.memory.missing_since == {}


def test_a_partial_read_starts_no_clock(aws: Stack, bench: Bench) -> None:
    """F02: two complete reads decide; one that was not complete is neither of them."""
    bench.routes.pop()
    bench.partial = {"HTTPRoute": "timed out"}
    remembered(aws, bench, 1000)
    bench.partial = {}
    plan = bench.plan(now=2000)

    assert bench.memory.missing_since == {}
    assert plan
    assert {c.verdict.word for c in plan.changes if c.verdict} == {"wait"}


def test_a_partial_read_stops_no_clock_either(aws: Stack, bench: Bench) -> None:
    """Between two complete reads that miss a name, a partial one says nothing."""
    bench.routes.pop()
    remembered(aws, bench, 1000)
    bench.partial = {"HTTPRoute": "timed out"}
    remembered(aws, bench, 1100)

    assert bench.memory.missing_since == dict.fromkeys(MISSING, 1000)


def test_nothing_new_writes_nothing(line: Line, bench: Bench) -> None:
    """An idle run costs three reads and no write."""
    memories = Memories(stack())
    for _ in range(2):
        line.calls.clear()
        bench.memory = memories.load()
        memories.save(bench.world(), bench.plan(), 0)

    assert line.operations == ["GetItem", "GetItem", "Query"]


def vanished(names: Iterable[str]) -> Plan | None:
    """Return a plan that would delete these names, from the zone and from the resolver."""
    value = {"records": [], "resource": "httproute/apps/a"}
    places: tuple[tuple[Surface, str], ...] = (("records", "example.com"), ("resolver", PLACE))
    return Plan.of(
        Change(surface, name, value, None, place) for name in names for surface, place in places
    )


@pytest.mark.parametrize("alike", [True, False])
def test_a_whole_zone_may_be_missing(aws: Stack, bench: Bench, *, alike: bool) -> None:
    """Twenty thousand stamps fit into an item of 400 KB, or, where names are random, an object."""
    numbers = map(str, range(10_000))
    names = [f"{n if alike else sha256(n.encode()).hexdigest()}.example.com" for n in numbers]
    memories = Memories(aws)

    memories.save(bench.world(), vanished(names), 1_795_400_000.123456)

    assert len(memories.load().missing_since) == 20_000
    item = aws.table.get("memory", "missing")
    assert item
    assert bool(item["document"]) == alike

    memories.save(bench.world(), vanished(names[:1]), 1_795_400_300.0)
    assert len(memories.load().missing_since) == 2


def test_a_memory_whose_object_is_gone_begins_anew(aws: Stack) -> None:
    """Nothing follows from what is not known: names wait once more."""
    aws.table.put({"pk": "memory", "sk": "missing", "document": ""})

    assert Memories(aws).load().missing_since == {}
