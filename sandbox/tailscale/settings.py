"""The tailnet's settings, and which scope governs which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import flag, text, whole


if TYPE_CHECKING:
    from sandbox.tailscale.answers import Check, Shape

DEFAULTS: dict[str, Any] = {
    "aclsExternallyManagedOn": False,
    "devicesApprovalOn": False,
    "devicesAutoUpdatesOn": False,
    "devicesKeyDurationDays": 180,
    "usersApprovalOn": False,
    "usersRoleAllowedToJoinExternalTailnets": "admin",
    "networkFlowLoggingOn": False,
    "regionalRoutingOn": False,
    "postureIdentityCollectionOn": False,
    "httpsEnabled": True,
}
GOVERNED_BY = {
    "networkFlowLoggingOn": "logs:network",
    "httpsEnabled": "networking_settings",
    "aclsExternallyManagedOn": "policy_file",
    "aclsExternalLink": "policy_file",
}


def _days(value: Any) -> bool:
    return whole(value) and 1 <= value <= 180


def _role(value: Any) -> bool:
    return value in ("none", "admin", "member")


_SPECIAL: dict[str, Check] = {
    "devicesKeyDurationDays": _days,
    "usersRoleAllowedToJoinExternalTailnets": _role,
    "aclsExternalLink": text,
}
SHAPE: Shape = dict.fromkeys(DEFAULTS, flag) | _SPECIAL


def scope(name: str) -> str:
    """Return the scope that governs a setting."""
    return GOVERNED_BY.get(name, "feature_settings")
