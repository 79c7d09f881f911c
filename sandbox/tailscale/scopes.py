"""What a scope allows.

A scope is `<resource>[:<sub>][:read]`; writing implies reading; `all` is every scope and
`all:read` every reading one (tailscale.com/kb/1623). The DNS scopes are named there only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tailscale.answers import Refusal, forbidden, not_found


if TYPE_CHECKING:
    from collections.abc import Iterable

READ = ":read"
WRITES = frozenset(
    {
        "account_settings",
        "all",
        "api_access_tokens",
        "auth_keys",
        "device_invites",
        "devices:core",
        "devices:posture_attributes",
        "devices:routes",
        "dns",
        "feature_settings",
        "federated_keys",
        "log_streaming",
        "logs:configuration",
        "logs:network",
        "networking_settings",
        "oauth_apps",
        "oauth_keys",
        "policy_file",
        "services",
        "users",
        "webhooks",
    }
)
# Tailscale hides these resources from a token without their scope (tailscale/tailscale#19471).
HIDDEN = frozenset({"services"})
NEEDS_TAGS = frozenset({"devices:core", "auth_keys"})


def is_scope(scope: str) -> bool:
    """Say whether Tailscale has a scope of that name."""
    return scope.removesuffix(READ) in WRITES


def covers(granted: Iterable[str], needed: str) -> bool:
    """Say whether the granted scopes allow what `needed` allows."""
    enough = {needed, "all"}
    if needed.endswith(READ):
        enough |= {needed.removesuffix(READ), "all:read"}
    return not enough.isdisjoint(granted)


def demand(granted: Iterable[str], *needed: str) -> None:
    """Raise the Refusal of the first scope that is missing: 404 if it is hidden, else 403."""
    missing = [scope for scope in needed if not covers(granted, scope)]
    if missing:
        raise not_found() if missing[0].removesuffix(READ) in HIDDEN else forbidden()


def checked(scopes: list[str], tags: list[str]) -> None:
    """Raise Refusal 400 unless a trust credential may have these scopes and tags."""
    if not scopes:
        raise Refusal(400, "at least one scope is required")
    unknown = [scope for scope in scopes if not is_scope(scope)]
    if unknown:
        raise Refusal(400, f"invalid scopes {unknown}")
    if not tags and NEEDS_TAGS.intersection(scopes):
        raise Refusal(400, "tags are required with the scopes devices:core and auth_keys")
