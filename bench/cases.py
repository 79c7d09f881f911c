"""What the receivers are fed with: one signed delivery each."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


SECRET = "bench"  # noqa: S105 - made up
GIT_PUSH = Path(__file__).parents[1] / "events" / "github-push.webhook.json"


@dataclass(frozen=True)
class Case:
    """A receiver, one delivery to it, and the headers that sign that."""

    function: str
    body: bytes
    headers: dict[str, str]

    def request(self) -> bytes:
        """Return the HTTP API event (payload 2.0) of the delivery."""
        event: dict[str, Any] = {
            "version": "2.0",
            "headers": {"content-type": "application/json", **self.headers},
            "body": self.body.decode(),
            "isBase64Encoded": False,
        }
        return json.dumps(event).encode()


def cases() -> tuple[Case, Case]:
    """Return both receivers: Tailscale's with three events, 1.1 KB; git's with a push, 2.2 KB."""
    told, stamp = tailscale_body(), str(int(time.time()))
    signature = f"t={stamp},v1={signed(f'{stamp}.'.encode() + told)}"
    template = json.loads(GIT_PUSH.read_text())
    push = template["body"].encode()
    headers = {"x-hub-signature-256": f"sha256={signed(push)}"}
    return (
        Case("receive_tailscale_webhook", told, {"tailscale-webhook-signature": signature}),
        Case("receive_git_webhook", push, {**template["headers"], **headers}),
    )


def signed(text: bytes) -> str:
    """Return the hex HMAC-SHA256 by the secret of the bench."""
    return hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()


def tailscale_body() -> bytes:
    """Return a delivery of three events."""
    events = [
        {
            "timestamp": f"2026-11-21T23:00:0{i}.000000Z",
            "version": 1,
            "type": "nodeCreated",
            "tailnet": "example.com",
            "message": f"Node gateway-envoy-{i}.yak-bebop.ts.net created",
            "data": {
                "nodeID": f"nFJw3SRKTM5{i}",
                "deviceName": f"gateway-envoy-{i}.yak-bebop.ts.net",
                "managedBy": "tag:k8s",
                "actor": "operator@example.com",
                "url": "https://login.tailscale.com/admin/machines/100.64.0.9",
            },
        }
        for i in range(3)
    ]
    return json.dumps(events).encode()
