"""What the cluster's tests share."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

from sandbox.cluster.certificates import Authority
from sandbox.cluster.documents import documents


if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from types import ModuleType

T = TypeVar("T")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return a fresh certificate authority."""
    return Authority(tmp_path / "ca")


class Browser:
    """Asks over TLS with an SNI and a Host of the test's choice; shares nothing with the server."""

    def __init__(self, ca_file: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(ca_file))

    async def get(
        self, port: int, host: str, path: str = "/", *, sni: str = "", extra: str = ""
    ) -> tuple[int, str]:
        """Return (status, everything after the status line); raise OSError if refused."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=self._context, server_hostname=sni or host
        )
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}\r\n"
            writer.write(head.encode())
            answer = (await reader.read()).decode()
        finally:
            writer.close()
        status, _, rest = answer.partition("\r\n")
        return int(status.split()[1]), rest


@pytest.fixture
def browser(authority: Authority) -> Browser:
    """Return a client that trusts the authority."""
    return Browser(authority.ca_file)


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end, within 20 seconds."""

    async def timed() -> T:
        return await asyncio.wait_for(story, 20)

    return asyncio.run(timed())


@pytest.fixture
def play() -> Any:
    """Return the function that runs an asynchronous story."""
    return run


class _FakeApi:
    """The cluster's API as values: what `sandbox.cluster.api.Api` promises, nothing more."""

    def __init__(self) -> None:
        self.store: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.callbacks: list[Callable[[str, dict[str, Any]], None]] = []
        self.writes = 0

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return self.store.get((kind, namespace, name))

    def list(self, kind: str, namespace: str = "") -> Sequence[dict[str, Any]]:
        found = [thing for key, thing in self.store.items() if key[0] == kind]
        return [t for t in found if not namespace or t["metadata"]["namespace"] == namespace]

    def apply(self, thing: dict[str, Any], manager: str) -> None:
        old = self.store.get(_key(thing))
        new = {**(old or {}), **thing, "metadata": {**(old or {}).get("metadata", {})}}
        new["metadata"] |= {"uid": f"uid-{len(self.store)}"} if not old else {}
        new["metadata"] |= thing["metadata"]
        if old and old.get("spec") != new.get("spec"):
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        self._write(old, new)

    def set_status(self, thing: dict[str, Any], status: dict[str, Any], manager: str) -> None:
        old = self.store.get(_key(thing))
        if old:
            self._write(old, {**old, "status": status})

    def delete(self, kind: str, namespace: str, name: str) -> None:
        gone = self.store.pop((kind, namespace, name), None)
        if gone:
            self._tell("DELETED", gone)

    def subscribe(self, callback: Callable[[str, dict[str, Any]], None]) -> None:
        self.callbacks.append(callback)

    def _write(self, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        if old != new:
            self.writes += 1
            self.store[_key(new)] = new
            self._tell("MODIFIED" if old else "ADDED", new)

    def _tell(self, kind: str, thing: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback(kind, thing)


def _key(thing: dict[str, Any]) -> tuple[str, str, str]:
    meta = thing["metadata"]
    return thing["kind"], meta.get("namespace", ""), meta["name"]


@pytest.fixture
def api() -> _FakeApi:
    """Return an empty cluster."""
    return _FakeApi()


@pytest.fixture
def load(api: _FakeApi) -> Callable[[str], None]:
    """Apply YAML documents to the cluster."""

    def apply(text: str) -> None:
        for thing in documents(text):
            api.apply(cast("dict[str, Any]", thing), "test")

    return apply


class _FakePlane:
    """A data plane that remembers what it was told to serve."""

    def __init__(self) -> None:
        self.frontends: dict[str, Any] = {}

    async def program(self, frontends: Sequence[Any]) -> None:
        self.frontends = {frontend.key: frontend for frontend in frontends}

    def port(self, key: str) -> int:
        raise KeyError(key)


@pytest.fixture
def plane() -> _FakePlane:
    """Return a data plane of values."""
    return _FakePlane()


def _world_process() -> ModuleType:
    """Import the helper beside this file: tests are not a package."""
    path = Path(__file__).parent / "world_process.py"
    spec = importlib.util.spec_from_file_location("world_process", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def start_world() -> Any:
    """Return what starts a world as a child process, with the settings given."""
    return _world_process().world
