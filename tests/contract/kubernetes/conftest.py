"""An API server in a thread, with plain HTTP, kubectl and the Python client pointed at it."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme

from sandbox.kubernetes.server import Kubernetes
from sandbox.threads import close


if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN = "the-token-of-the-admin"
KUBECTL = str(Path(sys.executable).with_name("kubectl"))


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and both ends' view of it."""

    pem: bytes
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Make a certificate for loopback once for all servers."""
    ca = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(client)
    return Authority(ca.cert_pem.bytes(), server, client)


@dataclass
class Rig:
    """A started server and clients for it."""

    kubernetes: Kubernetes
    authority: Authority
    home: Path
    loop: asyncio.AbstractEventLoop
    clients: list[httpx.Client] = field(default_factory=list)

    def http(self, token: str = ADMIN) -> httpx.Client:
        """Return a plain client that speaks with this token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(
            base_url=self.kubernetes.base_url, verify=self.authority.client, headers=headers
        )
        self.clients.append(client)
        return client

    def kubeconfig(self, token: str = ADMIN) -> Path:
        """Return a kubeconfig for this token."""
        path = self.home / f"kubeconfig-{token[-16:]}"
        self.kubernetes.kubeconfig(path, token, self.authority.pem)
        return path

    def kubectl(self, *arguments: str, given: Any = None, token: str = ADMIN) -> str:
        """Run kubectl to success and return what it printed."""
        code, out, err = self.try_kubectl(*arguments, given=given, token=token)
        assert code == 0, err
        return out

    def try_kubectl(
        self, *arguments: str, given: Any = None, token: str = ADMIN
    ) -> tuple[int, str, str]:
        """Run kubectl, with an object on its stdin; return its code, stdout and stderr."""
        done = subprocess.run(
            [KUBECTL, *arguments],
            input=json.dumps(given) if given is not None else None,
            env=self._environment(token),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def running_kubectl(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kubectl and let it print into a pipe."""
        command, environment = [KUBECTL, *arguments], self._environment(ADMIN)
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def _environment(self, token: str) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig(token)), "HOME": str(self.home)}


@pytest.fixture(scope="module")
def rig(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Start one server for all tests of a file; they keep apart by namespaces and names."""
    kubernetes = Kubernetes(admin_token=ADMIN)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(kubernetes.start(tls=authority.server), loop).result(10)
    rig = Rig(kubernetes, authority, tmp_path_factory.mktemp("home"), loop)
    yield rig
    for client in rig.clients:
        client.close()
    asyncio.run_coroutine_threadsafe(kubernetes.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    close(loop)


@pytest.fixture
def kubernetes() -> Kubernetes:
    """Return a server that listens nowhere: its objects, in process."""
    return Kubernetes(admin_token=ADMIN, now=lambda: 1_800_000_000.0)


@pytest.fixture
def lab(rig: Rig, request: pytest.FixtureRequest) -> str:
    """Return a namespace of the test's own."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].strip("-")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    on_loop(rig, lambda: rig.kubernetes.apply(namespace, "tests"))
    return name


def on_loop(rig: Rig, work: Any) -> Any:
    """Run a function where the server runs."""

    async def call() -> Any:
        return work()

    return asyncio.run_coroutine_threadsafe(call(), rig.loop).result(10)
