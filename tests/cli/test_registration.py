"""The webhook endpoint in the tailnet: one of ours, and nobody else's is touched."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from cli.registration import PATH, register
from sandbox.tailscale import Tailscale
from sandbox.threads import running


if TYPE_CHECKING:
    from collections.abc import Iterator

CREDENTIAL = {"client_id": "id", "client_secret": "secret"}


@pytest.fixture
def tailnet() -> Iterator[Tailscale]:
    """Run a tailnet."""
    tailnet = Tailscale(oauth_client_id="id", oauth_client_secret="secret")
    with running(tailnet):
        yield tailnet


def urls(tailnet: Tailscale) -> list[str]:
    """Return the endpoints' URLs."""
    return [endpoint["endpointUrl"] for endpoint in tailnet.webhooks.all]


def test_register(tailnet: Tailscale) -> None:
    """A dead endpoint of an earlier sandbox goes; a live one, and other people's, stay."""
    with (
        socket.create_server(("127.0.0.1", 0)) as alive,
        socket.create_server(("127.0.0.1", 0)) as gone,
    ):
        live, dead = (f"http://127.0.0.1:{s.getsockname()[1]}" for s in (alive, gone))
        gone.close()
        others = ["https://hooks.example.com" + PATH, dead + "/another/path", live + PATH]
        for url in [*others, dead + PATH]:
            tailnet.webhooks.add(
                {"endpointUrl": url, "subscriptions": ["nodeCreated"]}, creator="", created=""
            )

        registered = register(tailnet.base_url, CREDENTIAL, "http://127.0.0.1:1")

    assert urls(tailnet) == [*others, "http://127.0.0.1:1" + PATH]
    assert registered.why == ""
    assert registered.secret.startswith("tskey-webhook-")


@pytest.mark.parametrize(
    ("credential", "receiver", "why"),
    [
        ({"client_id": "id", "client_secret": "wrong"}, "http://127.0.0.1:1", "revoked"),
        (CREDENTIAL, "http://192.0.2.1", "400"),
    ],
)
def test_refused(tailnet: Tailscale, credential: dict[str, str], receiver: str, why: str) -> None:
    """Where no endpoint can be registered, the reason is told, and a secret is made up."""
    registered = register(tailnet.base_url, credential, receiver)

    assert why in registered.why
    assert registered.secret
    assert urls(tailnet) == []
