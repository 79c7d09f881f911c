"""The planner, whole: from small worlds to judged plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.planning import plan_world
from tailkeeper.proof.judging import undoing
from tailkeeper.world import Memory
from tests.support.worlds import PLACE, SURFACES, Bench, device, route


if TYPE_CHECKING:
    from tailkeeper.model import Plan


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=8)
MARK = '"heritage=external-dns,external-dns/owner={},external-dns/resource=httproute/apps/a"'


def applied(bench: Bench, now: float = 0) -> Plan:
    """Plan and apply; return the plan."""
    plan = bench.plan(now)
    assert plan is not None
    bench.apply(plan.with_word("apply"))
    return plan


WRITER = {"namespace": "dns", "name": "updater", "suspended": False}


def words(plan: Plan | None) -> dict[tuple[str, str], str]:
    """Return the guard's word on each key."""
    return {(c.surface, c.key): c.verdict.word for c in plan.changes if c.verdict} if plan else {}


@given(NAMES)
def test_a_plan_reaches_its_fixed_point(names: list[str]) -> None:
    """What was planned and applied leaves nothing to plan."""
    bench = Bench([route(name) for name in names])

    applied(bench)

    assert bench.plan() is None


@given(NAMES, st.booleans())
def test_a_moved_gateway_takes_every_name_with_it(names: list[str], flat: bool) -> None:  # noqa: FBT001 -- hypothesis gives it
    """Every record and every host follows the device in one plan, whatever their number."""
    bench = Bench([route(name) for name in names])
    bench.zone["target"] = "address" if flat else "cname"
    applied(bench)
    bench.move()

    plan = applied(bench)

    moved = [c for c in plan.changes if c.surface != "split-dns"]
    assert len(moved) == 2 * len(names)
    assert {c.verdict.row for c in moved if c.verdict} == {7}
    assert bench.plan() is None
    assert "100.64.0.2" in str(bench.text)
    assert "100.64.0.1 " not in str(bench.text)


@given(NAMES)
def test_undo_takes_back_exactly_what_was_applied(names: list[str]) -> None:
    """The inverse of a change restores records and hosts."""
    bench = Bench([route(name) for name in names])
    applied(bench)
    bench.move()
    before = dict(bench.records), bench.text
    plan = bench.plan()
    assert plan
    bench.apply(plan.with_word("apply"))

    bench.apply(undoing(plan.changes, {f"{n}.example.com" for n in names}, ()))

    assert (dict(bench.records), bench.text) == before


@given(NAMES, st.sampled_from(["HTTPRoute", "Gateway", "Namespace"]))
def test_a_partial_read_deletes_nothing(names: list[str], kind: str) -> None:
    """Partial is not absent, however long something seems to be missing."""
    bench = Bench([route(name) for name in names])
    applied(bench)
    bench.routes = bench.routes[: len(names) // 2]
    bench.partial = {kind: "timed out"}
    missing = {("example.com", f"{n}.example.com"): -1e9 for n in names}
    bench.memory = Memory(
        missing_since={**missing, **{(PLACE, k): v for (_, k), v in missing.items()}}
    )

    plan = bench.plan(now=1e9)

    assert not [c for c in plan.with_word("apply") if c.action == "Delete"] if plan else True


@pytest.mark.parametrize(
    ("record", "mark", "why"),
    [
        ({"type": "A", "content": "203.0.113.1"}, None, "not ours"),
        ({"type": "A", "content": "203.0.113.1"}, ("a-a", "someone"), "not ours"),
        ({"type": "CNAME", "content": "a.pages.dev"}, None, "not ours"),
        ({"type": "MX", "content": "mail.example.com"}, None, "cannot stand beside"),
    ],
)
def test_what_is_not_ours_is_skipped_and_the_rest_applied(
    record: dict[str, Any], mark: tuple[str, str] | None, why: str
) -> None:
    """A foreign record is never overwritten, and blocks nothing but its own name."""
    bench = Bench([route("a"), route("b")])
    bench.add(name="a.example.com", **record)
    if mark:
        content = MARK.format(mark[1])
        bench.add(name=f"{mark[0]}.example.com", type="TXT", content=content)
    before = dict(bench.records)

    plan = applied(bench)

    skipped = plan.with_word("skip")
    assert [c.key for c in skipped if c.surface == "records"] == ["a.example.com"]
    assert why in skipped[0].verdict.reasons[0]  # type: ignore[union-attr]  # skipped ones have one
    assert before.items() <= bench.records.items()
    assert any(r["name"] == "b.example.com" for r in bench.records.values())


def test_an_unpublished_name_is_answered_on_the_tailnet_only() -> None:
    """`docs` stays out of the zone and reaches the cluster through the resolver."""
    bench = Bench([route("docs", expose=False)])

    plan = applied(bench)

    assert {(c.surface, c.key) for c in plan.changes} == {
        ("resolver", "(document)"),
        ("resolver", "docs.example.com"),
        ("split-dns", "example.com"),
    }


@pytest.mark.parametrize(
    ("addresses", "devices", "why"),
    [
        (["192.168.1.9"], None, "not a tailnet address"),
        (["100.64.0.1", "100.64.0.7"], None, "two IPv4"),
        (["100.64.0.1"], [device(1, "gateway-envoy", "gateway-envoy", connected=False)], "offline"),
        (["100.64.0.1"], [], "not in the tailnet"),
    ],
)
def test_a_bad_target_is_refused_and_the_last_good_answer_kept(
    addresses: list[str], devices: list[dict[str, Any]] | None, why: str
) -> None:
    """S1, S2, F08: nothing is written, and the reason is said."""
    bench = Bench([route("a")])
    applied(bench)
    standing = dict(bench.records), bench.text
    bench.addresses = addresses
    if devices is not None:
        bench.devices = [*devices, device(9, "dns", "dns")]

    plan = applied(bench)

    assert set(words(plan).values()) == {"refuse"}
    assert why in str([c.verdict for c in plan.changes])
    assert (dict(bench.records), bench.text) == standing


def test_a_delete_waits_for_a_second_read_then_goes() -> None:
    """One of three names vanishes: seen once it waits, seen a sweep later it is deleted."""
    bench = Bench([route("a"), route("b"), route("c")])
    applied(bench)
    bench.routes = bench.routes[:2]

    first = bench.plan(now=1000)
    bench.memory = Memory(
        missing_since={("example.com", "c.example.com"): 1000, (PLACE, "c.example.com"): 1000}
    )
    second = applied(bench, now=1300)

    assert set(words(first).values()) == {"wait"}
    assert set(words(second).values()) == {"apply"}
    assert not [r for r in bench.records.values() if "c.example.com" in r["name"]]


def test_a_source_that_shrank_to_nothing_is_held() -> None:
    """F01: an empty desired set parks, it does not wipe."""
    bench = Bench([route("a"), route("b")])
    applied(bench)
    bench.routes = []

    assert set(words(bench.plan(now=1e9)).values()) == {"hold"}


@pytest.mark.parametrize(
    ("writers", "external_dns", "held"),
    [
        ([{"name": "updater", "suspended": False}], [], "resolver"),
        ([{"name": "updater", "suspended": True}], [], ""),
        (
            [],
            [{"namespace": "e", "name": "x", "replicas": 1, "args": ["--txt-owner-id=homelab"]}],
            "records",
        ),
        (
            [],
            [{"namespace": "e", "name": "x", "replicas": 1, "args": ["--txt-owner-id", "other"]}],
            "",
        ),
        (
            [],
            [{"namespace": "e", "name": "x", "replicas": 0, "args": ["--txt-owner-id=homelab"]}],
            "",
        ),
        ([WRITER | {"kind": "StatefulSet"}], [], "resolver"),
    ],
)
def test_a_surface_with_another_writer_is_held(
    writers: list[dict[str, Any]], external_dns: list[dict[str, Any]], held: str
) -> None:
    """One writer per surface: the other one is named, and only that surface is held."""
    bench = Bench([route("a")], writers=writers, external_dns=external_dns)

    plan = bench.plan()

    assert plan
    assert {c.surface for c in plan.with_word("hold")} == ({held} if held else set())


@pytest.mark.parametrize(
    ("flags", "held"),
    [
        ("--txt-owner-id=homelab", True),
        ("--txt-owner-id=other", False),
        ("--txt-owner-id=$(OWNER)", True),
        ("--txt-owner-id=other --registry=noop", True),
        ("--txt-owner-id=homelab --dry-run", False),
        ("--txt-owner-id=homelab --provider=cloudflare", True),
        ("--txt-owner-id=homelab --provider=pihole", False),
        ("--txt-owner-id=homelab --provider=$(PROVIDER)", True),
        ("--txt-owner-id=homelab --domain-filter=example.com", True),
        ("--txt-owner-id=homelab --domain-filter=.example.com", True),
        ("--txt-owner-id=homelab --domain-filter=apps.example.com", True),
        ("--txt-owner-id=homelab --domain-filter=com", True),
        ("--txt-owner-id=homelab --domain-filter=example.org", False),
        ("--txt-owner-id=homelab --domain-filter example.org --domain-filter example.com", True),
        ("", False),
    ],
)
def test_which_external_dns_writes_our_zone(flags: str, *, held: bool) -> None:
    """By its owner id, provider and domain filters; what cannot be read may mean us."""
    rival = {"namespace": "e", "name": "x", "replicas": 1, "args": flags.split()}

    plan = Bench([route("a")], external_dns=[rival]).plan()

    assert plan
    assert bool(plan.with_word("hold")) == held


def test_what_may_not_be_looked_through_for_writers_is_reported() -> None:
    """It holds nothing: rights that are missing are no writer."""
    bench = Bench([route("a")], unseen={"Role": "403 at /roles"})

    draft = plan_world(bench.world(), SURFACES, 0)

    assert "who else writes homelab/dns/tailkeeper-hosts is not all seen: 403 at /roles" in (
        draft.reports
    )
    assert draft.plan
    assert not draft.plan.with_word("hold")


def test_a_take_over_scales_no_other_workload_down() -> None:
    """Nobody but its owner knows what else it does: the surface stays held."""
    bench = Bench([route("a")], writers=[WRITER | {"kind": "Deployment"}])
    bench.resolver["take_over"] = True

    plan = bench.plan()

    assert plan
    (why,) = {c.verdict.reasons for c in plan.with_word("hold") if c.verdict}
    assert why[0].startswith("Deployment dns/updater (scale it to 0)")


def test_taking_over_suspends_the_other_writer_first() -> None:
    """`take_over` turns the hold into a journalled suspension."""
    bench = Bench([route("a")], writers=[{"name": "updater", "suspended": False}])
    bench.resolver["take_over"] = True

    plan = bench.plan()

    assert plan
    assert ("resolver", "cronjob/updater") in words(plan)
    assert set(words(plan).values()) == {"apply"}


def test_two_routes_of_one_name_settle_on_the_mark() -> None:
    """The owner mark's resource keeps a name; both claimants are reported when they differ."""
    bench = Bench([route("a")])
    applied(bench)
    twin = route("a")
    twin["metadata"]["name"] = "z-twin"
    bench.routes.append(twin)

    assert bench.plan() is None


@pytest.mark.parametrize("replicas", [0, 2])
def test_taking_over_a_zone_scales_external_dns_down(replicas: int) -> None:
    """`take_over` lets the records through, and the other writer is ended, journalled."""
    rival = {
        "namespace": "e",
        "name": "x",
        "replicas": replicas,
        "args": ["--txt-owner-id=homelab"],
    }
    bench = Bench([route("a")], external_dns=[rival])
    bench.zone["take_over"] = True

    plan = bench.plan()

    assert plan
    assert set(words(plan).values()) == {"apply"}
    scaled = [(c.surface, c.place, c.before, c.after) for c in plan.changes if "e/x" in c.key]
    assert scaled == [
        ("resolver", "homelab/deployments", {"replicas": 2}, {"replicas": 0})
        for _ in range(replicas // 2)
    ]
