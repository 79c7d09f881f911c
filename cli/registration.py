"""The webhook endpoint in the tailnet, by Tailscale's API v2: one, that leads to us."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from tailkeeper.adapters.tailnet import Refused, Throttled, Unreachable, connect


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.config import Config

PATH, GIT_PATH = "/webhooks/tailscale", "/webhooks/git"
SUBSCRIPTIONS = (
    "nodeCreated",
    "nodeApproved",
    "nodeDeleted",
    "nodeKeyExpired",
    "nodeKeyExpiringInOneDay",
    "nodeSigned",
)
API = "/api/v2"


@dataclass(frozen=True)
class Registered:
    """The signing secret, and why no event will come, "" where they will."""

    secret: str
    why: str = ""


def register(base_url: str, credential: Mapping[str, str], receiver: str) -> Registered:
    """Register the receiver's URL, in place of those of sandboxes that are no more.

    Where that is refused, a secret is made up, so that events can still be sent by hand.
    """
    try:
        with connect(base_url, credential) as http:
            _remove_dead(http)
            body = {"endpointUrl": receiver + PATH, "subscriptions": list(SUBSCRIPTIONS)}
            endpoint = _json(http.post(f"{API}/tailnet/-/webhooks", json=body))
            return Registered(endpoint["secret"])
    except (Refused, Throttled, Unreachable, httpx.HTTPError, KeyError, ValueError) as error:
        return Registered(f"tskey-webhook-{secrets.token_hex(16)}", str(error))


def hook_repositories(admin_url: str, config: Config, receiver: str, secret: str) -> None:
    """Add our webhook to every repository of the stand-in git host, as an operator would."""
    for repository in config.repositories:
        hook = {"repository": repository.name, "url": receiver + GIT_PATH, "secret": secret}
        httpx.post(f"{admin_url}/hooks", json={**hook, "id": repository.hook}).raise_for_status()


def _remove_dead(http: httpx.Client) -> None:
    """Delete endpoints of our path on this machine where nobody listens any more."""
    for endpoint in _json(http.get(f"{API}/tailnet/-/webhooks")).get("webhooks") or ():
        url = httpx.URL(endpoint["endpointUrl"])
        if url.path == PATH and url.host in {"127.0.0.1", "localhost"} and _is_dead(url):
            http.delete(f"{API}/webhooks/{endpoint['endpointId']}").raise_for_status()


def _is_dead(url: httpx.URL) -> bool:
    try:
        socket.create_connection((url.host, url.port or 80), timeout=1).close()
    except OSError:
        return True
    return False


def _json(answer: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    if answer.is_error:
        told = document.get("message", "no reason given")
        raise Refused(f"Tailscale answered {answer.status_code} to {answer.url.path}: {told}")
    return document
