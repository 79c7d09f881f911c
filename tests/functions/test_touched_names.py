"""What a run asks of Cloudflare: an event the touched names only, whatever the zone's size."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_records, observe_zones, plan_change
from functions.apply_records import DAY
from sandbox.faults import Fault
from tailkeeper.adapters.budget import BURST, KEY, PACE
from tailkeeper.adapters.packing import packed
from tailkeeper.adapters.zone_errors import Throttled, Unsettled
from tests.support.handlers import RUN
from tests.support.worlds import Bench, documents, route


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

LIST = "GET dns_records"
CHANGE = [f"{LIST} name.contains=", "POST batch"]
SWEEP = {**RUN, "fence": 0, "dry_run": True, "sweep": True}
DRY = {**SWEEP, "sweep": False}


@dataclass
class Runs:
    """Runs over one zone at the stand-in, with a cluster that the bench makes up."""

    aws: Stack
    outside: Outside
    bench: Bench = field(default_factory=lambda: Bench([route("a"), route("b")]))
    planned: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)

    def crowd(self, count: int, *more: dict[str, Any]) -> None:
        """Let the zone hold so many records of others, and these."""
        others = [
            {"name": f"h{n}.example.com", "type": "A", "content": "192.0.2.1", "ttl": 1}
            for n in range(count)
        ]
        zone = {"name": "example.com", "plan": "enterprise", "records": [*others, *more]}
        self.outside.cloudflare.load({**self.outside.cloudflare.dump(), "zones": [zone]})

    def event(self, *, listing: bool = False, run: dict[str, Any] = RUN) -> list[str]:
        """Observe, plan and apply; return what Cloudflare was asked."""
        self.outside.cloudflare.requests.clear()
        given = {"run": run, "round": 1, "config": self.bench.config.as_json(), "waited": 0}
        seen = documents(self.bench.world())
        seen.pop("zones")
        observed = {name: self.aws.artifacts.pack(made, "o") for name, made in seen.items()}
        observed["zones"] = observe_zones.handler({**given, "listing": listing}, None)
        gathered: dict[str, Any] = {"causes": [], "devices": [], "approved": [], "adopted": None}
        gathered |= {"asked": 0, "surfaces": ["records"]}
        asked = {**given, "gathered": gathered, "observed": observed}
        self.planned = plan_change.handler(asked, None)
        self.report = {}
        if self.planned["apply"] and not run["dry_run"]:
            parts = {part: self.planned[part] for part in ("change_id", "plan", "remembered")}
            self.report = apply_records.handler({**given, **parts}, None)
        return self.asked()

    def asked(self) -> list[str]:
        """Return the requests that Cloudflare saw, each as method, last part and filter."""
        return [
            f"{r['method']} {r['path'].rpartition('/')[2]} {r['query'].partition('=')[0]}="
            if "name.contains" in r["query"]
            else f"{r['method']} {r['path'].rpartition('/')[2]}"
            for r in self.outside.cloudflare.requests
        ]

    def contents(self) -> dict[str, str]:
        """Return what the zone answers for the names of the routes."""
        (zone,) = self.outside.cloudflare.dump()["zones"]
        names = {r["metadata"]["name"] + ".example.com" for r in self.bench.routes}
        return {r["name"]: r["content"] for r in zone["records"] if r["name"] in names}


@pytest.fixture
def runs(aws: Stack, outside: Outside) -> Runs:
    """Return runs after a first one, which has put two names into the zone."""
    runs = Runs(aws, outside)
    runs.event(listing=True)
    return runs


def test_an_event_that_changes_nothing_asks_nothing(runs: Runs) -> None:
    """What a listing left answers for the zone; a sweep lists it, in one request."""
    assert runs.event() == []
    assert runs.planned["counts"]["update"] == 0
    assert runs.event(listing=True, run=SWEEP) == [LIST]
    assert runs.event() == []


@pytest.mark.parametrize("size", [100, 5100])
def test_one_change_is_one_read_and_one_batch_at_every_size(runs: Runs, size: int) -> None:
    """A record and its mark are found together; the second change follows from the first."""
    runs.crowd(size)
    assert runs.event(listing=True)[0] == LIST
    for name in "cd":
        runs.bench.routes.append(route(name))

        assert runs.event() == CHANGE
        assert runs.report["applied"] == 1
    assert len(runs.contents()) == 4
    assert runs.event() == []


@pytest.mark.parametrize(("count", "batches"), [(6, 1), (100, 1), (101, 2)])
def test_many_creates_are_one_listing_and_full_batches(
    runs: Runs, count: int, batches: int
) -> None:
    """More than five touched names cost a listing; a free zone takes a hundred names a batch."""
    (zone,) = runs.outside.cloudflare.zones.values()
    zone.quota = 1000
    runs.bench.routes += [route(f"n{n}") for n in range(count)]

    assert runs.event() == [LIST, *["POST batch"] * batches]
    assert runs.report["applied"] == count
    assert runs.event() == []


def test_a_full_zone_is_filled_and_costs_no_search(runs: Runs) -> None:
    """What has room is written; for the rest there is no request each."""
    (zone,) = runs.outside.cloudflare.zones.values()
    zone.quota = len(zone.records) + 2 * 20
    runs.bench.routes += [route(f"n{n:03}") for n in range(90)]

    asked = runs.event()

    assert asked == [LIST, *["POST batch"] * 2, LIST]
    assert (runs.report["applied"], runs.report["stale"]) == (20, False)
    assert len(runs.contents()) == 22


def test_what_cloudflare_rejects_is_not_sent_again_until_it_is_another(runs: Runs) -> None:
    """It is held for a day, silently, with Cloudflare's reason; a new value is tried at once."""
    errors = [{"code": 1004, "message": "DNS Validation Error", "source": {"pointer": "/posts/0"}}]
    refusal = Fault(method="POST", status=400, body={"success": False, "errors": errors})
    runs.outside.cloudflare.faults.append(refusal)
    runs.bench.routes.append(route("c"))

    runs.event()
    assert (runs.report["applied"], runs.report["stale"]) == (0, False)
    assert runs.event() == [LIST]
    assert runs.planned["counts"]["held"] == 1
    (held,) = runs.aws.artifacts.unpack(runs.planned["plan"])
    assert "rejected by Cloudflare (Cloudflare answered 400: DNS" in held["verdict"]["reasons"][0]

    runs.bench.move()
    runs.event()
    assert runs.report["applied"] == 3
    (decision,) = [one for one in runs.aws.decisions.known().values() if one.word == "rejected"]
    assert decision.expires - time.time() <= DAY


def test_a_gateway_that_moved_is_followed_from_memory(runs: Runs) -> None:
    """Two updates: a read each, and one batch."""
    runs.bench.move()

    assert runs.event() == [*CHANGE[:1] * 2, "POST batch"]
    assert set(runs.contents().values()) == {"gateway-envoy-1.tail.ts.net"}


def person(runs: Runs, name: str, kind: str, content: str) -> None:
    """Let a person put a record of his own into the zone, over ours if there is one."""
    (zone,) = runs.outside.cloudflare.zones.values()
    with runs.outside.cloudflare.account.changing(zone):
        for record in [r for r in zone.records if r.wire["name"] == name]:
            zone.delete(record.wire["id"])
        zone.create({"type": kind, "name": name, "content": content, "ttl": 1})


@pytest.mark.parametrize(("kind", "content"), [("A", "192.0.2.7"), ("CNAME", "p.example.org")])
def test_a_record_that_appeared_since_is_not_written_over(
    runs: Runs, kind: str, content: str
) -> None:
    """F13: the read sees it, the rest is written; listed, the zone shows it, and it is skipped."""
    runs.bench.routes += [route("c"), route("d")]
    person(runs, "c.example.com", kind, content)

    assert runs.event() == [*CHANGE[:1] * 2, "POST batch"]
    assert (runs.report["stale"], runs.report["conflicts"]) == (True, ["c.example.com"])
    assert runs.event() == [LIST]
    assert (runs.planned["counts"]["skipped"], runs.planned["remembered"]) == (1, [])
    assert runs.contents()["c.example.com"] == content
    assert "d.example.com" in runs.contents()
    assert runs.event() == []


def test_a_name_that_is_not_as_remembered_is_left_and_read_again(runs: Runs) -> None:
    """The next round lists, sees what stands there, and ends right without waiting for a sweep."""
    person(runs, "a.example.com", "CNAME", "p.example.org")
    runs.bench.move()

    runs.event()
    assert (runs.report["stale"], runs.report["conflicts"]) == (True, ["a.example.com"])
    assert runs.contents()["a.example.com"] == "p.example.org"

    assert runs.event()[0] == LIST


def test_a_run_that_died_in_a_write_leaves_no_memory(runs: Runs) -> None:
    """Whether its batch came through, only a listing tells."""
    runs.bench.routes.append(route("c"))
    runs.outside.cloudflare.faults.append(Fault(method="POST", cut="after"))

    with pytest.raises(Unsettled):
        runs.event()
    assert runs.event() == [LIST]
    assert "c.example.com" in runs.contents()
    assert runs.event() == []


def missing_for_long(aws: Stack, *names: str) -> None:
    """Let earlier reads have missed these names."""
    since = {f"{name}.example.com": 1.0 for name in names}
    document = packed({"example.com": since})
    aws.table.put({"pk": "memory", "sk": "missing", "document": document})


def test_a_delete_follows_from_memory_by_the_same_rows(runs: Runs) -> None:
    """Seen missing once it waits; twice, it goes, counted among the names that are remembered."""
    runs.bench.routes += [route(name) for name in "cd"]
    runs.event()
    runs.bench.routes.pop()

    assert runs.event() == []
    assert runs.planned["counts"]["waiting"] == 1

    missing_for_long(runs.aws, "d")
    assert runs.event() == CHANGE
    assert runs.contents().keys() == {f"{name}.example.com" for name in "abc"}

    runs.bench.routes = runs.bench.routes[:1]
    missing_for_long(runs.aws, "b", "c")
    assert runs.event() == []
    assert runs.planned["counts"]["held"] == 2
    (held, _) = runs.aws.artifacts.unpack(runs.planned["plan"])
    assert "2 of 3 names of example.com would go" in held["verdict"]["reasons"][0]


def test_a_dry_run_leaves_no_memory(runs: Runs) -> None:
    """It reads what there is, lists where it must, and keeps nothing."""
    runs.aws.table.delete("listed", "example.com")

    assert runs.event(run=DRY) == [LIST]
    assert runs.event(run=DRY) == [LIST]
    runs.event(listing=True)
    assert runs.event(run=DRY) == []


def test_a_memory_is_not_older_than_two_sweeps(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no sweep came to refresh it, an event reads the zone itself."""
    monkeypatch.setenv("SWEEP_SECONDS", "-1")

    assert runs.event() == [LIST]


def test_a_spent_budget_stops_the_call_and_not_the_plan(runs: Runs) -> None:
    """F15: nothing is sent, the intent is journalled; later the same run goes on and finishes."""
    full = {"pk": KEY[0], "sk": KEY[1], "filled": 4_000_000_000.0}
    runs.aws.table.put(full)
    runs.bench.routes.append(route("c"))

    with pytest.raises(Throttled):
        runs.event()
    assert runs.asked() == []

    runs.aws.table.delete(*KEY)
    assert runs.event() == CHANGE
    item = runs.aws.table.get(*KEY)
    assert item
    assert item["filled"] < 4_000_000_000 - BURST / PACE
