"""Fixtures for handlers: an empty stack, and the outside worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.cloudflare import Cloudflare
from sandbox.kubernetes.server import Kubernetes
from sandbox.tailscale import Tailscale
from sandbox.threads import running
from tests.support.handlers import Outside, kubeconfig, set_secret
from tests.support.stacks import aws, endpoint, line


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack

__all__ = ["aws", "endpoint", "line", "outside"]


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
