"""Webhooks as Tailscale signs and sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import httpx


if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/webhooks/tailscale"


def node_created(node: str, number: int = 0) -> dict[str, Any]:
    """Return the event of a node that joined; the number makes it another event."""
    data = {
        "nodeID": node,
        "deviceName": "laptop.ainu-herring.ts.net",
        "managedBy": "somebody@example.com",
        "actor": "somebody@example.com",
        "url": "https://login.tailscale.com/admin/machines/100.64.9.9",
    }
    stamp = f"2026-11-22T09:00:00.{number:06}Z"
    event = {"timestamp": stamp, "version": 1, "type": "nodeCreated", "tailnet": "example.com"}
    return {**event, "message": "Node laptop created", "data": data}


def signature(secret: str, body: bytes, at: float) -> str:
    """Return the header of a body that was signed at an epoch second."""
    signed = f"{int(at)}.".encode() + body
    return f"t={int(at)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def post(
    webhooks: Mapping[str, str],
    document: Any,
    *,
    at: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send a document, signed now unless the headers or `at` say otherwise.

    `webhooks` is that part of the connection file; a header of "" is left out.
    """
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    moment = time.time() if at is None else at
    given = {
        "content-type": "application/json",
        "tailscale-webhook-signature": signature(webhooks["tailscale_secret"], body, moment),
        **(headers or {}),
    }
    sent = {name: value for name, value in given.items() if value}
    return httpx.post(webhooks["base_url"] + PATH, content=body, headers=sent, timeout=60)
