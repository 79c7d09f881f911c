"""A world as a child process, and plain clients of what it serves."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.client import Answer, Client


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]


class WorldProcess:
    """A started world: its first words, and how one talks to its parts."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any]) -> None:
        self.process = process
        self.ready = ready
        self.admin = httpx.Client(base_url=ready["tailscale"]["admin_url"])

    def kubernetes(self, who: str = "kubeconfig") -> httpx.Client:
        """Return a client of the cluster's API with an administrator's rights, or tailkeeper's."""
        config = json.loads(Path(self.ready["kubernetes"][who]).read_text())
        token = config["users"][0]["user"]["token"]
        return httpx.Client(
            base_url=self.ready["kubernetes"]["base_url"],
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=self.ready["tls"]["ca_file"]),
        )

    def tailscale(self) -> httpx.Client:
        """Return an authorized client of the tailnet's API."""
        told = self.ready["tailscale"]
        base = f"{told['base_url']}/api/v2"
        form = {"client_id": told["client_id"], "client_secret": told["client_secret"]}
        token = httpx.post(f"{base}/oauth/token", data=form).json()["access_token"]
        return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"})

    def cloudflare(self) -> httpx.Client:
        """Return an authorized client of the account's API."""
        told = self.ready["cloudflare"]
        headers = {"Authorization": f"Bearer {told['api_token']}"}
        return httpx.Client(base_url=f"{told['base_url']}/client/v4", headers=headers)

    def devices(self) -> list[dict[str, Any]]:
        """Return the tailnet's devices."""
        found: list[dict[str, Any]] = self.admin.get("/state").json()["devices"]
        return found

    def ask(self, name: str, view: Any = "tailnet", path: Any = "split-dns") -> Answer:
        """Ask as a laptop would."""
        return asyncio.run(Client(self.ready, patience=10).ask(name, view, path))

    def until(self, true: Callable[[], Any], *, patience: float = 10) -> Any:
        """Wait for what must come, and return it."""
        end = time.monotonic() + patience
        while not (found := true()):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.02)
        return found


@contextmanager
def world(**settings: Any) -> Iterator[WorldProcess]:
    """Start a world, and end it by closing its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.world"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            told = json.loads(line)
            if told["event"] != "progress":
                break
        if told["event"] == "failed":
            raise AssertionError(told["text"])
        running = WorldProcess(process, told)
        with running.admin:
            yield running
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)
