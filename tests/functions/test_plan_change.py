"""Plan Change: settles first, plans, opens the change, and leaves no trace of a dry run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions import plan_change
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.adapters.memory import Memories
from tailkeeper.model import Plan
from tests.support.handlers import RUN
from tests.support.worlds import Bench, device, documents, route


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ID = "20261121-230000"  # when the run started; a part of its name's hash follows
CAUSE = {"kind": "tailscale", "id": "e", "at": "t", "by": "tag:k8s", "ref": "nodeCreated n2 gw"}
DRY = {**RUN, "fence": 0, "dry_run": True}
SWEEP = {**DRY, "sweep": True}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}


def gathered(**more: Any) -> dict[str, Any]:
    """Return what Gather Causes gave."""
    given = {"asked": 0, "causes": [CAUSE], "count": 1, "devices": [], "approved": []}
    return {**given, "adopted": None, "surfaces": ["records", "resolver", "split-dns"], **more}


def event(aws: Stack, bench: Bench, **more: Any) -> dict[str, Any]:
    """Return the state's input for what the readers would have seen of a world."""
    seen = documents(bench.world())
    observed = {name: aws.artifacts.pack(made, "observations") for name, made in seen.items()}
    config = bench.config.as_json()
    given = {"run": RUN, "round": 1, "config": config, "gathered": gathered(), "waited": 0}
    return {**given, "observed": observed, **more}


def plan(aws: Stack, bench: Bench, **more: Any) -> dict[str, Any]:
    """Run the state."""
    return plan_change.handler(event(aws, bench, **more), None)


def plan_of(aws: Stack, answer: dict[str, Any]) -> Plan:
    """Return the plan of an answer."""
    made = Plan.from_json(aws.artifacts.unpack(answer["plan"]))
    assert made
    return made


def in_step(names: str) -> Bench:
    """Return a world in step."""
    bench = Bench([route(name) for name in names])
    made = bench.plan()
    assert made
    bench.apply(made.with_word("apply"))
    return bench


def test_changes_to_apply_open_a_change(aws: Stack) -> None:
    """Counted by surface, each with its cause; the journal's head says who, why and when."""
    answer = plan(aws, Bench([route("a"), route("b")]))

    assert (answer["settling"], answer["apply"]) == (False, True)
    assert answer["apply_counts"] == {"records": 2, "resolver": 3, "split-dns": 1}
    assert answer["counts"]["create"] == 6
    assert "baseline" not in answer
    assert {c.causes[0].id for c in plan_of(aws, answer).changes} == {"e"}
    assert answer["change_id"].startswith(ID)
    assert aws.journal.open_change() == answer["change_id"]
    head = aws.journal.head(answer["change_id"])
    assert head
    assert (head["execution"], head["started"]) == (RUN["holder"], RUN["started"])
    assert head["causes"] == [CAUSE]


def test_a_world_in_step_opens_nothing(aws: Stack, line: Line) -> None:
    """No plan, no change, no probes: an idle run only remembers the devices."""
    bench = in_step("ab")
    Memories(aws).save(bench.world(), None, 0)

    answer = plan(aws, bench)

    assert (answer["apply"], answer["probes"]) == (False, [])
    assert aws.artifacts.unpack(answer["plan"]) == []
    assert aws.journal.open_change() is None
    assert set(line.operations) & WRITES == {"UpdateItem"}, "the lease alone"


@pytest.mark.parametrize(("waited", "settling"), [(0, True), (89, True), (90, False)])
def test_a_cluster_that_lags_is_given_time(aws: Stack, waited: int, *, settling: bool) -> None:
    """The budget of the configuration; nothing is planned, remembered or refused before."""
    bench = in_step("a")
    bench.devices[0] = device(1, "gateway-envoy", "gateway-envoy", connected=False)

    answer = plan(aws, bench, waited=waited)

    assert answer["settling"] == settling
    if settling:
        assert "names gateway-envoy.tail.ts.net (n1, offline)" in answer["why"][0]
        assert aws.table.query("memory") == []
    else:
        assert answer["counts"]["refused"] == 2


def test_the_device_of_an_event_is_waited_for(aws: Stack) -> None:
    """The event is quicker than the operator: the cluster names the old, live device still."""
    bench = in_step("a")
    bench.devices.append(device(2, "gateway-envoy-1", "gateway-envoy"))

    waiting = plan(aws, bench, gathered=gathered(devices=["n2"]))
    bench.carrier, bench.addresses = 2, ["100.64.0.2"]
    settled = plan(aws, bench, gathered=gathered(devices=["n2"]))

    assert "does not name it yet" in waiting["why"][0]
    assert settled["apply"]


@pytest.mark.parametrize("run", [DRY, SWEEP])
def test_who_changes_nothing_does_not_wait(aws: Stack, run: dict[str, Any]) -> None:
    """A dry run and a sweep say what they see at once."""
    bench = in_step("a")
    bench.devices[0] = device(1, "gateway-envoy", "gateway-envoy", connected=False)

    assert not plan(aws, bench, run=run)["settling"]


def test_a_dry_run_writes_nothing(aws: Stack, line: Line) -> None:
    """It plans the same, and neither opens a change nor remembers a thing."""
    answer = plan(aws, Bench([route("a")]), run=DRY)

    assert answer["counts"]["create"] == 4
    assert answer["probes"] == []
    assert not set(line.operations) & WRITES


def test_a_sweep_remembers_and_probes_the_world_as_it_is(aws: Stack, line: Line) -> None:
    """It opens no change; its probes expect what stands, not what is planned."""
    bench = in_step("a")
    bench.routes.append(route("new"))

    answer = plan(aws, bench, run=SWEEP)

    batch = aws.artifacts.unpack(answer["probes"][0])
    targets = {t["host"]: t for t in batch["targets"] if t["kind"] == "exposure"}
    assert "public" in targets["a.example.com"]
    assert "public" not in targets["new.example.com"]
    assert set(line.operations) & WRITES == {"PutItem"}, "the memory alone"
    assert aws.journal.open_change() is None


def test_the_memory_of_one_run_serves_the_next(aws: Stack) -> None:
    """A missing name's clock runs across runs; an address that was the gateway's stays known."""
    bench = in_step("abcd")
    plan(aws, bench)
    bench.move()
    bench.routes.pop()

    moved = plan(aws, bench)

    rows = {c.key: c.verdict and c.verdict.row for c in plan_of(aws, moved).changes}
    assert (rows["a.example.com"], rows["d.example.com"]) == (7, 10)
    assert ("example.com", "d.example.com") in Memories(aws).load().missing_since


@pytest.mark.parametrize(("period", "row"), [("3600", 10), ("0", 11)])
def test_two_reads_are_a_sweep_apart_by_the_stack(
    aws: Stack, monkeypatch: pytest.MonkeyPatch, period: str, row: int
) -> None:
    """The world's clock may run faster than ours: how long a sweep lasts is the stack's to say."""
    monkeypatch.setenv("SWEEP_SECONDS", period)
    bench = in_step("abcd")
    bench.routes.pop()

    _, again = (plan(aws, bench, run=SWEEP) for _ in range(2))

    rows = {c.key: c.verdict and c.verdict.row for c in plan_of(aws, again).changes}
    assert rows["d.example.com"] == row


def test_a_sweep_tells_what_happened_to_the_carriers_devices(aws: Stack) -> None:
    """By what the last one saw; a run that is no sweep compares nothing."""
    bench = in_step("a")
    first = plan(aws, bench, run=SWEEP)
    Memories(aws).keep_devices(aws.artifacts.unpack(first["devices"]["table"]))
    again = plan(aws, bench, run=SWEEP)
    bench.devices[0] = device(1, "gw", "gateway-envoy")

    renamed = plan(aws, bench, run=SWEEP)

    assert first["devices"]["changes"] == {}
    assert again["devices"] == {"changes": {}, "table": None}
    assert renamed["devices"]["changes"] == {"n1": "device n1 gateway-envoy renamed to gw"}
    assert "devices" not in plan(aws, bench)


def test_an_open_change_is_gone_on_with(aws: Stack) -> None:
    """Though nothing is left to write, it goes to its proof, by the baseline from before it."""
    baseline = [{"inline": [{"host": "a.example.com", "state": "healthy"}]}]
    aws.journal.begin("dead", {"causes": [{"id": "old"}], "started": "then", "baseline": baseline})

    answer = plan(aws, in_step("a"), gathered=gathered(adopted="dead"))

    assert (answer["change_id"], answer["apply"]) == ("dead", True)
    assert answer["baseline"] == baseline
    assert sum(answer["apply_counts"].values()) == 0
    assert answer["probes"]
    head = aws.journal.head("dead")
    assert head
    assert [cause["id"] for cause in head["causes"]] == ["old", "e"]
    assert (head["started"], head["execution"]) == ("then", RUN["holder"])


def test_a_cause_is_told_once_however_many_rounds_see_it(aws: Stack) -> None:
    """Causes wait until the run's end: each round, and each try of this state, is given them."""
    rounds = [[CAUSE], [CAUSE], [CAUSE, {**CAUSE, "id": "new"}]]
    for causes in rounds:
        answer = plan(aws, Bench([route("a")]), gathered=gathered(causes=causes))

    head = aws.journal.head(answer["change_id"])
    assert head
    assert [cause["id"] for cause in head["causes"]] == ["e", "new"]


def test_thousands_of_names_fit_into_a_state(aws: Stack) -> None:
    """What is above its budget is a pointer; probes come in batches of 500."""
    answer = plan(aws, Bench([route(f"host-{n:05}") for n in range(2_000)]))

    assert answer["plan"].keys() == {"artifact"}
    assert len(plan_of(aws, answer).changes) == 4_002
    assert len(answer["probes"]) == 5
    assert [batch.keys() for batch in answer["probes"][:4]] == [{"artifact"}] * 4
    assert len(json.dumps(answer)) < 10_000


def test_a_push_that_no_reader_could_read_is_missed(aws: Stack) -> None:
    """Observe Git died of it, say; one that is configured no more is not."""
    bench = in_step("a")
    repository = {"provider": "github", "name": "me/homelab"}
    config = bench.config.as_json() | {"repositories": [repository]}
    pushed = {"provider": "github", "repository": "me/homelab", "branch": "main", "sha": "c1"}
    pushes = [pushed, {**pushed, "branch": "next"}]

    answer = plan(aws, bench, config=config, gathered=gathered(pushes=pushes))

    assert answer["missed"] == ["github me/homelab main"]


def test_a_surface_that_could_not_be_read_is_told(aws: Stack) -> None:
    """The others are planned all the same."""
    bench = in_step("a")
    bench.routes.append(route("b"))
    given = event(aws, bench)
    zones = aws.artifacts.unpack(given["observed"]["zones"])
    zones["example.com"] |= {"records": [], "why": "Cloudflare answered 403"}
    given["observed"]["zones"] = {"inline": zones}

    answer = plan_change.handler(given, None)

    assert answer["unread"] == {"records": "example.com: Cloudflare answered 403"}
    assert answer["apply_counts"] == {"records": 0, "resolver": 1, "split-dns": 0}


def test_a_change_id_tells_when_and_stays_the_same(aws: Stack) -> None:
    """One execution is one change, in each of its rounds."""
    bench = Bench([route("a")])

    first, again = (plan(aws, bench)["change_id"] for _ in range(2))
    other = plan(aws, bench, run={**RUN, "fence": 0, "holder": "arn:other"})["change_id"]

    assert first == again
    assert other.startswith(ID)
    assert other != first


def test_a_run_that_lost_the_lease_plans_nothing(aws: Stack) -> None:
    """Its successor does."""
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        plan(aws, Bench([route("a")]))

    assert aws.journal.open_change() is None


def test_what_a_person_approved_is_applied_and_nothing_else(aws: Stack) -> None:
    """Two names are held since their source shows nothing; one of the two was let through."""
    bench = in_step("ab")
    bench.routes = []
    held = plan_of(aws, plan(aws, bench)).with_word("hold")

    approved = gathered(approved=[held[0].digest])
    judged = plan_of(aws, plan(aws, bench, gathered=approved))

    assert {c.digest for c in judged.with_word("apply")} == {held[0].digest}
    assert {c.digest for c in judged.with_word("hold")} == {c.digest for c in held[1:]}
