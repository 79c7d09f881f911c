"""Hostnames of Gateway API listeners and routes: exact, `*.suffix`, or empty for any."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable


def common(listener: str, route: str) -> str | None:
    """Return the hostname both serve, the narrower of the two, or None if they share none."""
    if not listener or listener == route:
        return route
    if not route or covers(route, listener):
        return listener
    return route if covers(listener, route) else None


def covers(wildcard: str, name: str) -> bool:
    """Say whether `*.suffix` covers the name: any number of labels before it, but at least one."""
    return wildcard.startswith("*.") and name.removeprefix("*").endswith(wildcard[1:])


def shared(listener: str, hostnames: Iterable[str]) -> tuple[str, ...]:
    """Return where a listener serves a route with these hostnames; none means all of them."""
    found = (common(listener.lower(), name.lower()) for name in hostnames or [""])
    return tuple(dict.fromkeys(name for name in found if name is not None))
