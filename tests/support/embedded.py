"""The embedded world as a test drives it: from outside, by its ports and its command only."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from sandbox.client import Client
from tests.support import processes


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sandbox.client import Answer

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SPEED = "60"  # words that come later overrule it
BOOT_SECONDS = 90.0


class Embedded:
    """A running `tailkeeper up`; `connection` is its connection file."""

    def __init__(self, process: subprocess.Popen[bytes], state: Path) -> None:
        self.process = process
        self.state = state
        self.connection: dict[str, Any] = json.loads(state.read_text())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `tailkeeper` against this world."""
        environment = {**os.environ, "TAILKEEPER_SANDBOX": str(self.state)}
        return subprocess.run(
            [BIN / "tailkeeper", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def converge(self, *words: str) -> dict[str, Any]:
        """Run a Converge to its end; return its output."""
        ran = self.command("run", "converge", "--json", *words)
        assert ran.stdout, ran.stderr
        output: dict[str, Any] = json.loads(ran.stdout)
        return output

    def change(self, change_id: str) -> dict[str, Any]:
        """Return a change as the journal has it, with its entries."""
        shown: dict[str, Any] = json.loads(self.command("changes", change_id, "--json").stdout)
        return shown

    def kubectl(self, *words: str, given: Any = None) -> str:
        """Run kubectl as the cluster's administrator; return what it prints."""
        kubeconfig = self.connection["kubernetes"]["kubeconfig"]
        ran = subprocess.run(
            [BIN / "kubectl", "--kubeconfig", kubeconfig, *words],
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def admin(self, part: str, method: str, path: str, document: Any = None) -> Any:
        """Call a stand-in's admin API; return its answer's JSON, None where it has none."""
        url = self.connection[part]["admin_url"] + path
        answer = httpx.request(method, url, json=document, timeout=20).raise_for_status()
        return answer.json() if answer.content else None

    def requests(self, part: str) -> list[dict[str, Any]]:
        """Return the requests that a stand-in has seen."""
        found: list[dict[str, Any]] = self.admin(part, "GET", "/requests")
        return found

    def forget_requests(self) -> None:
        """Empty every stand-in's log of requests."""
        for part in ("tailscale", "cloudflare", "kubernetes"):
            self.admin(part, "DELETE", "/requests")

    def tailnet(self) -> dict[str, Any]:
        """Return the tailnet's whole state."""
        state: dict[str, Any] = self.admin("tailscale", "GET", "/state")
        return state

    def devices(self, hostname: str) -> list[dict[str, Any]]:
        """Return the tailnet's devices of a hostname, the connected ones first."""
        found = [device for device in self.tailnet()["devices"] if device["hostname"] == hostname]
        return sorted(found, key=lambda device: not device["connectedToControl"])

    def records(self, zone: str) -> dict[tuple[str, str], str]:
        """Return a zone's records: (type, name) to content."""
        zones = self.admin("cloudflare", "GET", "/state")["zones"]
        records = next(found["records"] for found in zones if found["name"] == zone)
        return {(record["type"], record["name"]): record["content"] for record in records}

    def ask(self, name: str, view: Any, path: Any = "split-dns") -> Answer:
        """Ask for a name as the client that believes nobody."""
        return asyncio.run(Client(self.connection).ask(name, view, path))

    def ask_all(self, questions: Sequence[tuple[str, Any, Any]]) -> list[Answer]:
        """Ask many questions at once: (name, view, path)."""

        async def asked() -> list[Answer]:
            client = Client(self.connection)
            return await asyncio.gather(*(client.ask(*question) for question in questions))

        return asyncio.run(asked())

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the emulated account."""
        aws = self.connection["aws"]
        session = boto3.Session(
            aws["access_key_id"], aws["secret_access_key"], region_name=aws["region"]
        )
        return session.client(service, endpoint_url=aws["endpoint_url"])  # type: ignore[call-overload]  # any service that a test names

    @cached_property
    def states(self) -> Any:
        """Return a client of Step Functions."""
        return self.aws("stepfunctions")

    def runs_since(self, moment: float) -> list[dict[str, Any]]:
        """Return the Converge executions that started after an epoch second, newest first."""
        machine = self.connection["state_machines"]["Converge"]
        pages = self.states.get_paginator("list_executions").paginate(stateMachineArn=machine)
        runs = [run for page in pages for run in page["executions"]]
        return [run for run in runs if run["startDate"].timestamp() >= moment]

    def outputs_since(self, moment: float) -> list[dict[str, Any]]:
        """Return the outputs of Converge executions since, once none of them runs any more."""
        runs = until(
            lambda: self.runs_since(moment),
            lambda found: bool(found) and all(run["status"] != "RUNNING" for run in found),
        )
        described = [
            self.states.describe_execution(executionArn=run["executionArn"]) for run in runs
        ]
        return [
            json.loads(one["output"]) if "output" in one else {"outcome": "failed", **one}
            for one in described
        ]

    def children(self, word: str) -> list[int]:
        """Return the ids of this world's processes whose command line has a word in it."""
        return [
            pid for pid in processes.below(self.process.pid) if word in processes.command_line(pid)
        ]

    def stop(self) -> None:
        """End the world as a person does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def kill(self) -> None:
        """End the supervisor as a power cut does; the rest must end by itself."""
        below = processes.below(self.process.pid)
        self.process.kill()
        self.process.wait(10)
        until(
            lambda: [pid for pid in below if processes.command_line(pid)], lambda alive: not alive
        )


@contextmanager
def running(
    folder: Path, *words: str, environment: Mapping[str, str] | None = None
) -> Iterator[Embedded]:
    """Start `tailkeeper up` with its connection file in a folder; end it afterwards."""
    world = start(folder, *words, environment=environment)
    try:
        yield world
    finally:
        if world.process.poll() is None:
            world.stop()


def start(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Embedded:
    """Start `tailkeeper up`, and wait until it is ready."""
    state, log = folder / "connection.json", folder / "up.log"
    state.unlink(missing_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [BIN / "tailkeeper", "up", "--state", state, "--speed", SPEED, *words],
            stdout=stream,
            stderr=stream,
            env={**os.environ, **(environment or {})},
        )
    until(
        lambda: state.exists() or process.poll() is not None,
        lambda over: over,
        seconds=BOOT_SECONDS,
    )
    assert state.exists(), log.read_text()
    return Embedded(process, state)


def until(look: Callable[[], Any], good: Callable[[Any], bool], *, seconds: float = 60.0) -> Any:
    """Look again and again until it is good; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"after {seconds} s it is still {seen}"
        time.sleep(0.05)
    return seen


def route(name: str, hostnames: Sequence[str], **annotations: str) -> Mapping[str, Any]:
    """Return an HTTPRoute of the example cluster's gateway to a Service that is there."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": name,
            "namespace": "home",
            "annotations": {"external-dns.alpha.kubernetes.io/expose": "true", **annotations},
        },
        "spec": {
            "parentRefs": [{"name": "front-door", "namespace": "tailscale"}],
            "hostnames": list(hostnames),
            "rules": [{"backendRefs": [{"name": "home", "port": 80}]}],
        },
    }
