"""The whole AWS side as a child process, with a small app in it; see ../app/template.yaml."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[4]
APP = Path(__file__).parents[1] / "app"
CONFIG = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)


@dataclass
class Sandbox:
    """A running `python -m sandbox.aws`; it loads while it waits for its request."""

    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def start(self, **request: Any) -> dict[str, Any]:
        """Send the request; return the last line of the answer, `ready` or `failed`."""
        assert self.process.stdin
        assert self.process.stdout
        document = {"template": str(APP / "template.yaml"), "speed": 100, **request}
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            self.ready = json.loads(line)
            if self.ready["event"] != "progress":
                break
        return self.ready

    def client(self, service: str) -> Any:
        """Return a plain boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]  # any service that a test names
                region_name=self.ready["region"],
                endpoint_url=self.ready["endpoint_url"],
                aws_access_key_id=self.ready["access_key_id"],
                aws_secret_access_key=self.ready["secret_access_key"],
                config=CONFIG,
            )
        return self._clients[service]

    def id_of(self, logical_id: str) -> str:
        """Return a resource's physical id."""
        return str(self.ready["resources"][logical_id])

    def invoke(self, function: str, event: Any, **more: Any) -> dict[str, Any]:
        """Invoke a function; return the answer with `result`, its payload as JSON."""
        answer = self.client("lambda").invoke(
            FunctionName=self.id_of(function), Payload=json.dumps(event), **more
        )
        payload = answer["Payload"].read()
        return {**answer, "result": json.loads(payload) if payload else None}

    def messages(self, queue: str, seconds: float = 10.0) -> list[dict[str, Any]]:
        """Take the messages of a queue; wait for the first."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.id_of(queue),
            MaxNumberOfMessages=10,
            WaitTimeSeconds=int(seconds),
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]  # both are pipes


def launch() -> Sandbox:
    """Start the process; it has no request yet."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.aws"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Sandbox(process)


@pytest.fixture
def launched() -> Iterator[Callable[[], Sandbox]]:
    """Yield a way to start sandboxes that end with the test."""
    started: list[Sandbox] = []

    def start() -> Sandbox:
        started.append(launch())
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Yield the app, running; it ends by itself when its input does."""
    running = launch()
    ready = running.start(worker_env={"FROM_THE_WORLD": "yes"})
    assert ready["event"] == "ready", ready
    yield running
    assert running.process.stdin
    running.process.stdin.close()
    assert running.process.wait(10) == 0
    running.process.stdout.close()  # type: ignore[union-attr]  # it is a pipe


@pytest.fixture(scope="session")
def app() -> Path:
    """Return the app's folder."""
    return APP


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Return a function that looks until what it sees is true, or fails after ten seconds."""

    def look(see: Callable[[], Any], seconds: float = 10.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (seen := see()):
            assert time.monotonic() < deadline, f"still {seen!r}"
            time.sleep(0.02)
        return seen

    return look
