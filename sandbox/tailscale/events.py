"""Webhook events, with the payloads of tailscale.com/docs/features/webhooks.

Undocumented, so a careful guess: the data of webhookUpdated and webhookDeleted, and that a tagged
device is managed by its tags.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.times import event_stamp


if TYPE_CHECKING:
    from sandbox.tailscale.devices import Device

Event = dict[str, Any]

ADMIN = "https://login.tailscale.com/admin"
KEY_EVENT_ACTOR = "expiring-node-key-marker"
NODE_MESSAGES = {
    "nodeCreated": "created",
    "nodeNeedsApproval": "needs approval",
    "nodeApproved": "approved",
    "nodeDeleted": "deleted",
    "nodeKeyExpiringInOneDay": "key expiring in less than one day",
    "nodeKeyExpired": "key recently expired",
    "nodeSigned": "signed",
    "nodeNeedsSignature": "needs signature",
}


def manager(device: Device) -> str:
    """Return who manages a device: its tags, or its user."""
    return ", ".join(device.get("tags") or [device["user"]])


def event(kind: str, tailnet: str, at: float, message: str, data: Event | None) -> Event:
    """Return an event of any type; `at` is in epoch seconds."""
    return {
        "timestamp": event_stamp(at),
        "version": 1,
        "type": kind,
        "tailnet": tailnet,
        "message": message,
        "data": data,
    }


def node_event(kind: str, tailnet: str, at: float, device: Device, actor: str) -> Event:
    """Return an event about a device; `kind` is one of NODE_MESSAGES."""
    data = {
        "nodeID": device["nodeId"],
        "deviceName": device["name"],
        "managedBy": manager(device),
        "actor": actor or manager(device),
        "url": f"{ADMIN}/machines/{device['addresses'][0]}",
    }
    if kind.startswith("nodeKey"):
        data |= {"actor": KEY_EVENT_ACTOR, "expiration": device["expires"]}
    return event(kind, tailnet, at, f"Node {device['name']} {NODE_MESSAGES[kind]}", data)


def policy_event(tailnet: str, at: float, old: str, new: str, actor: str) -> Event:
    """Return the event of a new policy file, which carries both texts."""
    data = {"newPolicy": new, "oldPolicy": old, "url": f"{ADMIN}/acls", "actor": actor}
    return event("policyUpdate", tailnet, at, "Tailnet policy file updated", data)


def trial_event(tailnet: str, at: float) -> Event:
    """Return the event of `POST /webhooks/{id}/test`."""
    return event("test", tailnet, at, "This is a test event", None)


def webhook_event(kind: str, tailnet: str, at: float, actor: str) -> Event:
    """Return the event of an endpoint that was updated or deleted."""
    verb = kind.removeprefix("webhook").lower()
    data = {"url": f"{ADMIN}/settings/webhooks", "actor": actor}
    return event(kind, tailnet, at, f"Webhook {verb}", data)


def payload(provider: str, events: list[Event]) -> str:
    """Return the body that carries the events; chat providers get the messages as text."""
    if provider:
        lines = "\n".join(event["message"] for event in events)
        return json.dumps({"content" if provider == "discord" else "text": lines})
    return json.dumps(events)
