"""What holds for every cluster: no name is lost to a partial read, and order says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tailkeeper.carriers.gateways import GatewayDevice
from tailkeeper.config import GuardLimits
from tailkeeper.planning import plan_world
from tailkeeper.sources import discover
from tailkeeper.world import Memory
from tests.support.operated import balanced, exposed, ingress, secret
from tests.support.worlds import PLACE, SURFACES, Bench, device, route


if TYPE_CHECKING:
    from tailkeeper.world import World

LETTERS = st.sampled_from("abcdef")
KINDS = ("HTTPRoute", "GRPCRoute", "Service", "Ingress", "StateSecret", "Gateway", "Namespace")


@st.composite
def routes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a route, accepted or not, on the Gateway, on another, or on a ListenerSet."""
    made = route(draw(LETTERS), expose=draw(st.booleans()))
    made["metadata"]["name"] = draw(LETTERS)
    ref = draw(
        st.sampled_from(
            [
                {"name": "gw", "namespace": "tailscale"},
                {"name": "gone", "namespace": "tailscale"},
                {"name": "set", "kind": "ListenerSet"},
            ]
        )
    )
    status = draw(st.sampled_from(["True", "False"]))
    seen = draw(st.sampled_from([0, 1]))
    made["metadata"]["generation"] = 1
    accepted = {"type": "Accepted", "status": status, "observedGeneration": seen}
    made["spec"]["parentRefs"] = [ref]
    made["status"] = {"parents": [{"parentRef": ref, "conditions": [accepted]}]}
    return made


@st.composite
def operated(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a Service or an Ingress with a name in the zone; any of them may lack a status."""
    name = draw(LETTERS)
    said = {"dns_hostname": f"{draw(LETTERS)}.example.com", "dns_expose": "true"}
    fqdn = f"{name}.tail.ts.net" if draw(st.booleans()) else ""
    if kind == "Ingress":
        return ingress(name, fqdn, tls=name, **said)
    if draw(st.booleans()):
        return exposed(name, **said)
    return balanced(name, ingress=[{"hostname": fqdn}] if fqdn else [], **said)


def named(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the documents, each name once."""
    return list({document["metadata"]["name"]: document for document in documents}.values())


@st.composite
def benches(draw: st.DrawFn) -> Bench:
    """Draw a cluster of all kinds, whose devices are those that its Secrets name."""
    services = named(draw(st.lists(operated("Service"), max_size=3)))
    ingresses = named(draw(st.lists(operated("Ingress"), max_size=3)))
    bench = Bench(named(draw(st.lists(routes(), max_size=4))))
    bench.others = {
        "GRPCRoute": named(draw(st.lists(routes(), max_size=3))),
        "Service": services,
        "Ingress": ingresses,
        "StateSecret": [
            secret(item["metadata"]["name"], f"n{number}", kind=kind)
            for kind, items, start in (("svc", services, 10), ("ingress", ingresses, 20))
            for number, item in enumerate(items, start)
        ],
    }
    bench.devices += [device(number, f"m{number}", f"m{number}") for number in range(10, 24)]
    return bench


def cut(world: World, lost: dict[str, list[bool]]) -> World:
    """Return the world with some objects of some kinds left out, those kinds read in part."""
    document = world.clusters["homelab"]
    objects = {
        kind: [
            item
            for place, item in enumerate(items)
            if kind not in lost or not lost[kind][place % len(lost[kind])]
        ]
        for kind, items in document["objects"].items()
    }
    partial = dict.fromkeys(lost, "timed out")
    return replace(
        world,
        # No number of deletes is too many: completeness alone must stop them.
        config=replace(world.config, guard=GuardLimits(deletes=100)),
        clusters={"homelab": {**document, "objects": objects, "partial": partial}},
    )


LOST = st.dictionaries(
    st.sampled_from(KINDS), st.lists(st.booleans(), min_size=1, max_size=4), min_size=1
)


@settings(max_examples=60)
@given(benches(), LOST)
def test_a_partial_read_never_loses_a_name(bench: Bench, lost: dict[str, list[bool]]) -> None:
    """F02, F03: whatever is missing from whichever lists, and however long it has been."""
    plan = bench.plan()
    bench.apply(plan.with_word("apply") if plan else ())
    whole = bench.world()
    names = {record["name"] for record in bench.records.values()}
    long_ago = {(place, name): 0.0 for place in ("example.com", PLACE) for name in names}
    seen = replace(cut(whole, lost), memory=Memory({}, long_ago))

    changes = planned(seen)

    gone = [c for c in changes if c.action == "Delete" and c.verdict and c.verdict.word == "apply"]
    assert gone == []


@settings(max_examples=60)
@given(benches(), st.randoms(use_true_random=False))
def test_the_order_of_a_list_says_nothing(bench: Bench, chance: Any) -> None:
    """An API server may list as it likes: the same exposures, reports and plan follow."""
    world = bench.world()
    document = world.clusters["homelab"]
    shuffled = {
        kind: chance.sample(items, len(items)) for kind, items in document["objects"].items()
    }
    other = replace(world, clusters={"homelab": {**document, "objects": shuffled}})

    one, two = (discover(w.clusters["homelab"], w.config) for w in (world, other))

    assert (one.exposures, one.reports, one.partial) == (two.exposures, two.reports, two.partial)
    assert planned(world) == planned(other)


@settings(max_examples=30)
@given(benches(), LOST)
def test_every_exposure_has_a_carrier_or_a_reason(bench: Bench, lost: dict[str, Any]) -> None:
    """None of them is planned without one of the two: there would be nothing to answer."""
    world = cut(bench.world(), lost)

    carried = {f"{e.cluster}/{e.gateway}" for e in world.exposures}

    assert carried <= world.carriers.keys()
    assert all(
        isinstance(carrier, GatewayDevice) or carrier.reasons for carrier in world.carriers.values()
    )


def planned(world: World) -> tuple[Any, ...]:
    """Return the judged changes, long after everything was first missed."""
    plan = plan_world(world, SURFACES, 1e6).plan
    return plan.changes if plan else ()
