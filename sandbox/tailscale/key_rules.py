"""What may be created by `POST /keys`, and changed by `PUT /keys/{id}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import (
    Refusal,
    fitted,
    flag,
    forbidden,
    mapping,
    text,
    text_map,
    texts,
    whole,
)
from sandbox.tailscale.scopes import checked
from sandbox.tailscale.times import stamp


if TYPE_CHECKING:
    from sandbox.tailscale.access import Caller
    from sandbox.tailscale.answers import Shape
    from sandbox.tailscale.keys import Key
    from sandbox.tailscale.policy import Policy

MAX_EXPIRY = 90 * 86_400
DESCRIPTION = re.compile(r"[A-Za-z0-9 -]{0,50}")
SHAPE: Shape = {
    "keyType": text,
    "description": text,
    "capabilities": mapping,
    "expirySeconds": whole,
    "scopes": texts,
    "tags": texts,
    "issuer": text,
    "subject": text,
    "audience": text,
    "customClaimRules": text_map,
}
CREATE_SHAPE: Shape = {"reusable": flag, "ephemeral": flag, "preauthorized": flag, "tags": texts}


def new_key(body: dict[str, Any], caller: Caller, policy: Policy, now: float) -> Key:
    """Return the key that the body asks for, without id and secret; raise Refusal."""
    described(body)
    kind = body.get("keyType", "auth")
    if kind == "auth":
        return {"keyType": kind, **_auth_key(body, caller, policy, now), **_owned(body, caller)}
    return {"keyType": kind, **trusted(kind, body, caller, policy), **_owned(body, caller)}


def described(body: dict[str, Any]) -> None:
    """Raise Refusal 400 unless the description is one that Tailscale takes."""
    if not DESCRIPTION.fullmatch(body.get("description", "")):
        raise Refusal(400, "description: at most 50 alphanumeric characters, hyphens and spaces")


def _owned(body: dict[str, Any], caller: Caller) -> dict[str, str]:
    owner = {"userId": "uADMINsandboxCNTRL" if caller.user else ""}
    return owner | ({"description": body["description"]} if body.get("description") else {})


def _auth_key(body: dict[str, Any], caller: Caller, policy: Policy, now: float) -> dict[str, Any]:
    devices = body.get("capabilities", {}).get("devices")
    if not isinstance(devices, dict):
        raise Refusal(400, "capabilities.devices is required")
    create = devices.get("create") or {}
    if not isinstance(create, dict):
        raise Refusal(400, "invalid value for field 'create'")
    create = fitted(create, CREATE_SHAPE)
    tags = create.get("tags", [])
    if not tags and not caller.user:
        raise Refusal(400, "tailnet-owned auth key must have tags set")
    policy.permit(tags, owners=caller.tag_owners)
    # Zero is what Go's client sends for "not given".
    expiry = body.get("expirySeconds") or MAX_EXPIRY
    if not 0 < expiry <= MAX_EXPIRY:
        raise Refusal(400, "expirySeconds must be between 1 second and 90 days")
    flags = {"reusable": False, "ephemeral": False, "preauthorized": False}
    return {
        "expirySeconds": expiry,
        "expires": stamp(now + expiry),
        "capabilities": {"devices": {"create": flags | create}},
    }


def trusted(kind: str, body: dict[str, Any], caller: Caller, policy: Policy) -> dict[str, Any]:
    """Return scopes, tags and claims of a trust credential; raise Refusal.

    Nobody hands out more than they have: unverified on the live API, the careful reading.
    """
    scopes, tags = body.get("scopes", []), body.get("tags", [])
    checked(scopes, tags)
    if not all(caller.may(scope) for scope in scopes):
        raise forbidden()
    policy.permit(tags, owners=caller.tag_owners)
    fields = {"scopes": scopes, "tags": tags}
    return fields | (_claims(body) if kind == "federated" else {})


def _claims(body: dict[str, Any]) -> dict[str, Any]:
    if not re.fullmatch(r"https://[^/\s]+.*", body.get("issuer", "")):
        raise Refusal(400, "issuer must be a valid https:// URL")
    if not body.get("subject"):
        raise Refusal(400, "subject is required")
    named = ("issuer", "subject", "audience", "customClaimRules")
    return {key: body[key] for key in named if key in body}
