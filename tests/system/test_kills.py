"""Kill -9, of a function's worker and of everything: the next run ends in the same state."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.embedded import BIN, Embedded, route, start, until
from tests.support.leases import free


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.world,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

ZONE = "hearth.example"
OPTIONS = ("--sweep", "rate(1 day)")
SLOW = {"method": "POST", "path": "*/batch", "delay_ms": 1500}


class Kept:
    """A world that keeps its state, and may be another process after a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = self.start()

    def start(self) -> Embedded:
        """Start it, or start it again."""
        self.world = start(self.folder, "--world", str(self.folder / "world"), *OPTIONS)
        return self.world


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Yield a world that is in step."""
    kept = Kept(tmp_path_factory.mktemp("kept"))
    try:
        assert kept.world.converge()["outcome"] == "applied"
        yield kept
    finally:
        if kept.world.process.poll() is None:
            kept.world.stop()


def batch_under_way(world: Embedded) -> bool:
    """Say whether Cloudflare has been sent a batch."""
    return any(one["path"].endswith("/batch") for one in world.requests("cloudflare"))


def publish(world: Embedded, name: str) -> subprocess.Popen[bytes]:
    """Publish a name, start a Converge, and return once its batch is under way."""
    world.admin("cloudflare", "POST", "/faults", SLOW)
    world.forget_requests()
    world.kubectl("apply", "-f", "-", given=route(name, [f"{name}.{ZONE}"]))
    command = [str(BIN / "tailkeeper"), "run", "converge", "--json", "--sandbox", str(world.state)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: batch_under_way(world), bool)
    return run


def assert_published_once(world: Embedded, name: str) -> None:
    """Fail unless the name answers, with one record and its marks, and nothing is left to do."""
    answers = world.ask_all(
        [(f"{name}.{ZONE}", "tailnet", path) for path in ("split-dns", "public-record")]
    )
    assert [answer for answer in answers if not answer.ok] == []
    zone = world.admin("cloudflare", "GET", "/state")["zones"][0]
    records = [(r["type"], r["name"]) for r in zone["records"] if name in r["name"]]
    assert len(records) == len(set(records))
    assert ("CNAME", f"{name}.{ZONE}") in records
    assert world.converge()["outcome"] == "in_sync"


def test_worker(kept: Kept) -> None:
    """A function that dies while it writes is called again, and the change is one."""
    world = kept.world
    run = publish(world, "killed-worker")
    for pid in world.children("apply_records"):
        subprocess.run(["kill", "-9", str(pid)], check=True)

    output = json.loads(run.communicate(timeout=60)[0])

    assert output["outcome"] == "applied", output
    states = {entry["state"] for entry in world.change(output["change_id"])["entries"]}
    assert states == {"applied"}
    assert_published_once(world, "killed-worker")


def test_everything(kept: Kept) -> None:
    """A world that was killed goes on where it was: the change is adopted, the lease freed.

    Adopted by our run, or by that of the sweep which hears that the old one has died.
    """
    run = publish(kept.world, "killed-world")
    open_before = newest(kept.world)
    kept.world.kill()
    run.communicate(timeout=60)

    world = kept.start()
    output = world.converge()

    assert output["outcome"] in {"applied", "in_sync"}, output
    adopted = newest(world)
    assert (adopted["id"], adopted["outcome"]) == (open_before["id"], "applied")
    assert_published_once(world, "killed-world")


def test_an_undo_that_dies_is_done_by_the_next_one(kept: Kept) -> None:
    """Killed in the middle of its write, it is asked for again, and there is nothing left of it."""
    world = kept.world
    world.kubectl("apply", "-f", "-", given=route("taken-back", [f"taken-back.{ZONE}"]))
    made = world.converge()["change_id"]
    world.kubectl("-n", "home", "delete", "httproute", "taken-back")
    world.admin("cloudflare", "POST", "/faults", SLOW)
    world.forget_requests()
    undo = ["undo", made, "--json", "--sandbox", str(world.state)]
    run = subprocess.Popen(
        [str(BIN / "tailkeeper"), *undo], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until(lambda: batch_under_way(world), bool)
    world.kill()
    run.communicate(timeout=60)

    world = kept.start()
    free(world)
    ran = world.command("undo", made, "--json")

    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) in {(0, "applied"), (0, "in_sync")}
    assert [name for _, name in world.records(ZONE) if "taken-back" in name] == []
    assert f"taken-back.{ZONE}" not in hosts(world)
    assert world.converge()["outcome"] == "in_sync"


def hosts(world: Embedded) -> str:
    """Return what the resolver is given."""
    return world.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "yaml")


def test_events_after_a_restart(kept: Kept) -> None:
    """The tailnet's events find the receiver at its new address."""
    began = time.time()
    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    kept.world.admin("tailscale", "POST", "/devices", machine)

    outputs = kept.world.outputs_since(began)

    assert "applied" in {output["outcome"] for output in outputs}
    assert kept.world.ask(f"home.{ZONE}", "tailnet").ok


def test_zone_that_cannot_be_read(kept: Kept) -> None:
    """One surface fails, what the others applied stays, and the next run brings the rest."""
    world = kept.world
    outage = {"method": "GET", "path": "*/dns_records", "times": 20, "status": 503, "body": {}}
    world.admin("cloudflare", "POST", "/faults", outage)
    world.kubectl("apply", "-f", "-", given=route("half", [f"half.{ZONE}"]))

    failed = world.converge()
    by_split_dns = world.ask(f"half.{ZONE}", "tailnet")
    world.admin("cloudflare", "DELETE", "/faults")
    mended = world.converge()

    assert failed["outcome"] == "failed"
    assert "503" in failed["why"]
    assert by_split_dns.ok
    assert mended["outcome"] == "applied"
    assert_published_once(world, "half")


def newest(world: Embedded) -> dict[str, Any]:
    """Return the newest change."""
    listed: list[dict[str, Any]] = json.loads(world.command("changes", "--json").stdout)
    return listed[0]
