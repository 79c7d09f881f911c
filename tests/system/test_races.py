"""Many causes on one zone, and the holder's workers killed: one end, nothing lost, no way back."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.deliveries import delivery, document
from tests.support.embedded import Embedded, route
from tests.support.webhooks import node_created, post
from tests.system.test_kills import let_the_lease_expire
from tests.system.test_webhooks import send_delivery, waiting_causes


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

pytestmark = [
    pytest.mark.world,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

ZONE = "hearth.example"
FIRST_TTL = 100  # a record's TTL is the number of the world that it was planned for
WORKERS = (
    *("gather_causes", "observe_cluster", "observe_zones", "plan_change", "probe_endpoints"),
    *("apply_records", "apply_resolver", "judge_proof", "close_change"),
)


@dataclass
class Race:
    """A race of causes, of three kinds by turns, after a world that moves on."""

    world: Embedded
    chance: random.Random
    name: str = field(default_factory=lambda: f"race-{uuid4().hex[:6]}")
    began: float = field(default_factory=time.time)
    told: list[str] = field(default_factory=list)
    kills: int = 0
    last: dict[str, Any] = field(default_factory=dict)

    def move_on(self, version: int) -> None:
        """Give the name of the race its next TTL, and publish one name more."""
        ttl = {"external-dns.alpha.kubernetes.io/ttl": str(FIRST_TTL + version)}
        routes = [
            route(self.name, [f"{self.name}.{ZONE}"], **ttl),
            route(f"{self.name}-{version}", [f"{self.name}-{version}.{ZONE}"]),
        ]
        documents = {"apiVersion": "v1", "kind": "List", "items": routes}
        self.world.kubectl("apply", "-f", "-", given=documents)

    def by_tailscale(self) -> str:
        """Send the event of a machine; return what its cause is known by."""
        node = uuid4().hex
        assert post(self.world.connection["webhooks"], [node_created(node)]).status_code == 202
        return node

    def by_flux(self) -> str:
        """Send the event of an applied revision; return the revision."""
        revision = f"main@sha1:{uuid4().hex}"
        event = document("flux-applied") | {"metadata": {"revision": revision}}
        secret = self.world.connection["webhooks"]["git_secret"]
        answer = send_delivery(self.world, delivery("flux-applied", event, secret=secret))
        assert answer.json() == {"accepted": 1, "ignored": 0}
        return revision

    def by_person(self) -> str:
        """Start a run as a person does; return the cause's id."""
        cause = {"kind": "person", "id": uuid4().hex, "at": "2026-11-22T09:00:00Z"}
        machine = self.world.connection["state_machines"]["Converge"]
        given = json.dumps({"causes": [{**cause, "by": "me", "ref": "run"}]})
        self.world.states.start_execution(stateMachineArn=machine, input=given)
        return cause["id"]

    def start(self, many: int) -> None:
        """Let so many causes come at once, one kind after the other."""
        ways: Iterator[Callable[[], str]] = cycle((self.by_tailscale, self.by_flux, self.by_person))
        with ThreadPoolExecutor(8) as pool:
            self.told += pool.map(lambda way: way(), islice(ways, many))

    @contextlib.contextmanager
    def killing(self, pause: float) -> Iterator[None]:
        """Kill one of the functions' workers after the other, at random, about every `pause`."""
        over = threading.Event()

        def kill() -> None:
            while not over.wait(self.chance.uniform(0, 2 * pause)):
                for pid in self.world.children(self.chance.choice(WORKERS))[:1]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        self.kills += 1

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()

    def abort(self) -> None:
        """End the execution that holds the lease as a person does in the console, if one does."""
        holder = lease_of(self.world).get("holder")
        if holder:
            self.world.states.stop_execution(executionArn=holder["S"])
            self.let_the_dead_rest()

    def let_the_dead_rest(self) -> None:
        """Let the time be over for which a dead run's functions might still write."""
        time.sleep(1)  # so long do those in flight take at the most
        let_the_lease_expire(self.world)

    def end(self) -> dict[str, Any]:
        """Wait until no run is at work; return what a last run says, whose lease has been free."""
        self.world.outputs_since(self.began)
        if float(lease_of(self.world)["expires"]["N"]):
            self.let_the_dead_rest()
        return self.world.converge()

    def consumed(self) -> int:
        """Return how many causes were gathered by rounds whose run has closed after them.

        Each round sees those of the rounds before it again, until a Close consumes them.
        """
        total = 0
        for run in self.world.runs_since(self.began):
            pages = self.world.states.get_paginator("get_execution_history").paginate(
                executionArn=run["executionArn"]
            )
            seen = 0
            for event in (event for page in pages for event in page["events"]):
                output = event.get("taskSucceededEventDetails", {}).get("output", "{}")
                answer = json.loads(output).get("Payload") or {}
                seen = answer["count"] if "asked" in answer else seen
                total, seen = (total + seen, 0) if "to_tell" in answer else (total, seen)
        return total

    def written(self) -> list[tuple[str, int]]:
        """Return (name, TTL) of each write of our names that Cloudflare took, in its order."""
        zones = self.world.admin("cloudflare", "GET", "/state")["zones"]
        names = {record["id"]: record["name"] for zone in zones for record in zone["records"]}
        batches = [
            one["body"]
            for one in self.world.requests("cloudflare")
            if one["path"].endswith("/batch") and one["status"] == 200
        ]
        assert not any(
            self.name in names.get(d["id"], "") for b in batches for d in b.get("deletes", ())
        )
        edits = [edit for b in batches for kind in ("patches", "posts") for edit in b.get(kind, ())]
        return list(answers_below(self.name, names, edits))

    def journalled(self) -> set[tuple[str, int]]:
        """Return (name, TTL) of everything that the journal says was intended."""
        began = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.began))
        changes = json.loads(self.world.command("changes", "--json").stdout)
        mine = [change["id"] for change in changes if change["id"] >= began]
        entries = [entry for change in mine for entry in self.world.change(change)["entries"]]
        return {
            (entry["change"]["key"], record["ttl"])
            for entry in entries
            if entry["change"]["surface"] == "records"
            for record in entry["change"]["after"]["records"]
        }


def answers_below(
    name: str, names: dict[str, str], edits: Iterable[dict[str, Any]]
) -> Iterator[tuple[str, int]]:
    """Yield (name, TTL) of the edits of answers below a name; those of marks are left out."""
    for edit in edits:
        host = edit.get("name") or names.get(edit.get("id", ""), "")
        if host.startswith(name) and edit.get("type") != "TXT":
            yield host, edit.get("ttl", 1)


def lease_of(world: Embedded) -> dict[str, Any]:
    """Return the lease as the table has it."""
    key = {"pk": {"S": "lease"}, "sk": {"S": "stack"}}
    found = world.aws("dynamodb").get_item(TableName=world.connection["aws"]["table"], Key=key)
    lease: dict[str, Any] = found["Item"]
    return lease


def run_race(world: Embedded, *, groups: int, each: int, seed: int, pause: float) -> Race:
    """Run a race to its end: one alone and many at once by turns, one holder aborted."""
    race = Race(world, random.Random(seed))  # noqa: S311 - no secret
    world.forget_requests()
    with race.killing(pause):
        for version in range(groups):
            race.move_on(version)
            race.start(each if version % 2 else 1)
            if version == groups // 2:
                race.abort()
            elif not version % 2:
                world.outputs_since(race.began)
    race.last = race.end()
    return race


def assert_won(race: Race, newest: int) -> None:
    """Fail unless the end is that of the newest world, on a way that never led back."""
    written = race.written()
    steps = [ttl for name, ttl in written if name == f"{race.name}.{ZONE}"]
    assert race.last["outcome"] in {"applied", "in_sync"}, race.last
    assert race.world.converge()["outcome"] == "in_sync"
    assert steps == sorted(steps)
    assert steps[-1] == FIRST_TTL + newest
    others = [f"{race.name}-{version}.{ZONE}" for version in range(newest + 1)]
    assert {("CNAME", name) for name in others} <= race.world.records(ZONE).keys()
    assert set(written) <= race.journalled()
    assert race.consumed() == len(race.told) + 2
    assert waiting_causes(race.world) == 0
    assert (lease_of(race.world)["expires"], "holder" in lease_of(race.world)) == (
        {"N": "0"},
        False,
    )


def test_a_race(in_step: Embedded) -> None:
    """Alternating and at once, with workers killed and a holder aborted: one consistent end."""
    race = run_race(in_step, groups=4, each=12, seed=3, pause=0.5)

    assert_won(race, newest=3)
    assert race.kills
