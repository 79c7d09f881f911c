"""A race: causes of three kinds, alternating and at once, while the holder's workers are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from tests.support.deliveries import delivery, document
from tests.support.embedded import route
from tests.support.leases import free, lease_of
from tests.support.webhooks import node_created, post


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from tests.support.embedded import Embedded

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
    chance: Random
    name: str = field(default_factory=lambda: f"race-{uuid4().hex[:6]}")
    began: float = field(default_factory=time.time)
    told: int = 0
    kills: int = 0

    def move_on(self, version: int) -> None:
        """Give the name of the race its next TTL, and publish one name more."""
        ttl = {"external-dns.alpha.kubernetes.io/ttl": str(FIRST_TTL + version)}
        routes = [
            route(self.name, [f"{self.name}.{ZONE}"], **ttl),
            route(f"{self.name}-{version}", [f"{self.name}-{version}.{ZONE}"]),
        ]
        documents = {"apiVersion": "v1", "kind": "List", "items": routes}
        self.world.kubectl("apply", "-f", "-", given=documents)

    def by_tailscale(self) -> None:
        """Send the event of a machine."""
        answer = post(self.world.connection["webhooks"], [node_created(uuid4().hex)])
        assert answer.json() == {"accepted": 1, "ignored": 0}

    def by_flux(self) -> None:
        """Send the event of an applied revision."""
        event = document("flux-applied") | {"metadata": {"revision": f"main@sha1:{uuid4().hex}"}}
        webhooks = self.world.connection["webhooks"]
        made = delivery("flux-applied", event, secret=webhooks["git_secret"])
        url = webhooks["base_url"] + "/webhooks/flux"
        answer = httpx.post(url, content=made["body"], headers=made["headers"], timeout=60)
        assert answer.json() == {"accepted": 1, "ignored": 0}

    def by_person(self) -> None:
        """Start a run as a person does."""
        cause = {"kind": "person", "id": uuid4().hex, "at": "2026-11-22T09:00:00Z"}
        machine = self.world.connection["state_machines"]["Converge"]
        given = json.dumps({"causes": [{**cause, "by": "me", "ref": "run"}]})
        self.world.states.start_execution(stateMachineArn=machine, input=given)

    def start(self, many: int) -> None:
        """Let so many causes come at once, one kind after the other."""
        ways = islice(cycle((self.by_tailscale, self.by_flux, self.by_person)), many)
        with ThreadPoolExecutor(8) as pool:
            for told in [pool.submit(way) for way in ways]:
                told.result()
        self.told += many

    @contextlib.contextmanager
    def killing(self, pause: float, most: int) -> Iterator[None]:
        """Kill up to so many of the functions' workers, at random, about every `pause` seconds."""
        over = threading.Event()

        def kill() -> None:
            while self.kills < most and not over.wait(self.chance.uniform(0, 2 * pause)):
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
        free(self.world)

    def end(self) -> dict[str, Any]:
        """Wait until no run is at work; return what a last run says, whose lease has been free."""
        self.world.outputs_since(self.began)
        if float(lease_of(self.world)["expires"]["N"]):
            self.let_the_dead_rest()
        return self.world.converge()

    def clear(self, versions: int) -> None:
        """Take the names back that the race has published."""
        names = [self.name, *(f"{self.name}-{version}" for version in range(versions))]
        self.world.kubectl("-n", "home", "delete", "httproute", *names)

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
