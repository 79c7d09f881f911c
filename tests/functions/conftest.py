"""Fixtures for handlers: an empty stack, and the outside worlds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer
from support.handlers import Outside, deployed, kubeconfig, set_secret
from support.line import Line, line_to

from sandbox.cloudflare import Cloudflare
from sandbox.kubernetes.server import Kubernetes
from sandbox.tailscale import Tailscale
from sandbox.threads import running
from tailkeeper.adapters.stack import Stack, stack


if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Run moto for the session."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Return an empty stack whose lease the test's run holds."""
    for name, value in deployed(endpoint).items():
        monkeypatch.setenv(name, value)
    stack.cache_clear()
    made = stack()
    made.table.put(
        {"pk": "lease", "sk": "stack", "holder": "arn:run", "fence": 1, "expires": 0, "asked": 0}
    )
    yield made
    stack.cache_clear()


@pytest.fixture
def outside(aws: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """Run the stand-ins and give the stack their addresses and credentials."""
    worlds = Outside(
        Tailscale(oauth_client_id="id", oauth_client_secret="secret"),
        Cloudflare(zones=["example.com"], api_token="token"),
        Kubernetes(),
    )
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dns"}}
    worlds.kubernetes.load_objects([namespace])
    with running(worlds.tailscale, worlds.cloudflare, worlds.kubernetes):
        monkeypatch.setenv("TAILSCALE_URL", worlds.tailscale.base_url)
        monkeypatch.setenv("CLOUDFLARE_URL", worlds.cloudflare.base_url)
        set_secret("TAILSCALE_SECRET", {"client_id": "id", "client_secret": "secret"})
        set_secret("CLOUDFLARE_SECRET", {"api_token": "token"})
        set_secret("KUBECONFIG_SECRET", {"homelab": kubeconfig(worlds.kubernetes)})
        yield worlds


@pytest.fixture
def line(aws: Stack, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Lead the functions' calls over a line that can fail; `aws` stays direct."""
    with line_to(endpoint) as relay:
        monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
        stack.cache_clear()
        yield relay
