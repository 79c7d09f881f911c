"""API tokens: what they are, how long they live, what they may do.

Permission groups by the ids that Cloudflare publishes, resources as its documentation writes them.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.cloudflare.errors import refused


USER = "com.cloudflare.api.user"
ACCOUNT = "com.cloudflare.api.account"
ZONE = "com.cloudflare.api.account.zone"
GROUPS = {
    "4755a26eedb94da69e1066d98aa820be": ("DNS Write", ZONE),
    "82e64a83756745bbbb1c9c2701bf816b": ("DNS Read", ZONE),
    "c8fed203ed3043cba015a93ad1616f1f": ("Zone Read", ZONE),
    "e6d2666161e84845a636613608cee8d5": ("Zone Write", ZONE),
    "686d18d5ac6c441c867cbf6771e58a0a": ("API Tokens Write", USER),
    "0cc3a61731504c89b99ec1be78b77aa0": ("API Tokens Read", USER),
}
IDS = {title: group for group, (title, _) in GROUPS.items()}
CHANGEABLE = ("name", "policies", "status", "expires_on", "not_before", "condition")
STATUSES = ("active", "disabled", "expired")


@dataclass
class Token:
    """A token: `wire` is what the API shows, `value` is shown once, `account` owns it or ""."""

    wire: dict[str, Any]
    value: str
    account: str = ""

    @property
    def id(self) -> str:
        """The token's id, which is no secret."""
        return str(self.wire["id"])

    def status(self, now: float) -> str:
        """Return `active`, `disabled` or `expired` at a time in epoch seconds."""
        ends, starts = self.wire.get("expires_on"), self.wire.get("not_before")
        if ends and _epoch(ends) <= now:
            return "expired"
        if starts and _epoch(starts) > now:
            return "disabled"
        return str(self.wire.get("status", "active"))

    def may(self, titles: set[str], resource: frozenset[str]) -> bool:
        """Say whether an allowing policy covers the resource for one of the groups, and no deny."""
        effects = {
            policy["effect"]
            for policy in self.wire["policies"]
            if titles & {GROUPS[group["id"]][0] for group in policy["permission_groups"]}
            and _covers(policy["resources"], resource)
        }
        return effects == {"allow"}


def resource_of_zone(zone: str, account: str) -> frozenset[str]:
    """Return the names by which a policy can mean a zone."""
    return frozenset({f"{ZONE}.{zone}", f"{ZONE}.*"}) | resource_of_account(account)


def resource_of_account(account: str) -> frozenset[str]:
    """Return the names by which a policy can mean an account."""
    return frozenset({f"{ACCOUNT}.{account}", f"{ACCOUNT}.*"})


def resource_of_user(user: str) -> frozenset[str]:
    """Return the names by which a policy can mean the user."""
    return frozenset({f"{USER}.{user}", f"{USER}.*"})


def new_token(fields: dict[str, Any], *, at: str, account: str = "", value: str = "") -> Token:
    """Return a token from a create request's fields; raise Refused when they make no token."""
    issued = {"id": uuid.uuid4().hex, "status": "active", "issued_on": at, "last_used_on": None}
    return Token(issued | changed_fields(fields, at=at), value or new_value(account), account)


def changed_fields(fields: dict[str, Any], *, at: str) -> dict[str, Any]:
    """Return the valid fields of a create or update request; both need a name and policies."""
    name, policies = fields.get("name"), fields.get("policies")
    if not isinstance(name, str) or not 1 <= len(name) <= 120:
        raise refused(1001, "Token name must have between 1 and 120 characters.")
    if not isinstance(policies, list) or not policies:
        raise refused(1001, "A token needs at least one policy.")
    if fields.get("status", "active") not in STATUSES:
        raise refused(1001, f"status must be one of {', '.join(STATUSES)}.")
    given = {key: fields[key] for key in CHANGEABLE if fields.get(key) is not None}
    for key in ("expires_on", "not_before"):
        _refuse_no_time(key, given.get(key))
    return given | {"policies": [_policy(policy) for policy in policies], "modified_on": at}


def new_value(account: str) -> str:
    """Return a new secret, with the prefix that secret scanners look for."""
    return f"{'cfat' if account else 'cfut'}_{secrets.token_urlsafe(30)}"


def everything(user: str, account: str) -> list[dict[str, Any]]:
    """Return the policies of a token that may do all the stand-in can."""
    zones = ("DNS Write", "Zone Read", "Zone Write")
    return [
        _granted(zones, {f"{ACCOUNT}.{account}": {f"{ZONE}.*": "*"}}),
        _granted(("API Tokens Write",), {f"{USER}.{user}": "*", f"{ACCOUNT}.{account}": "*"}),
    ]


def _granted(titles: tuple[str, ...], resources: dict[str, Any]) -> dict[str, Any]:
    groups = [{"id": IDS[title]} for title in titles]
    return {"effect": "allow", "permission_groups": groups, "resources": resources}


def _policy(policy: Any) -> dict[str, Any]:
    try:
        ids = [group["id"] for group in policy["permission_groups"]]
        effect, resources = policy["effect"], dict(policy["resources"])
    except (TypeError, KeyError, ValueError) as error:
        raise refused(1001, "A policy needs effect, permission_groups and resources.") from error
    unknown = [group for group in ids if group not in GROUPS]
    if unknown or not ids or not resources or effect not in {"allow", "deny"}:
        raise refused(1001, f"Invalid policy: unknown permission groups {unknown}.")
    return {
        "id": policy.get("id") or uuid.uuid4().hex,
        "effect": effect,
        "permission_groups": [{"id": group, "name": GROUPS[group][0]} for group in ids],
        "resources": resources,
    }


def _covers(resources: dict[str, Any], wanted: frozenset[str]) -> bool:
    return any(
        key in wanted and (within == "*" or (isinstance(within, dict) and _covers(within, wanted)))
        for key, within in resources.items()
    )


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _refuse_no_time(key: str, text: Any) -> None:
    try:
        _epoch(text or "2026-01-01T00:00:00Z")
    except (ValueError, TypeError) as error:
        raise refused(1001, f"{key} must be an RFC 3339 time.") from error
