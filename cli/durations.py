"""How long after what caused it each thing happened to a change."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tailkeeper.moments import rfc3339


if TYPE_CHECKING:
    from collections.abc import Iterable

    from cli.journal import Entry, Head


def moments(head: Head, entries: Iterable[Entry] = ()) -> dict[str, str]:
    """Return when a change was caused, started, planned, applied, proven in each view, closed."""
    written = [entry.at for entry in entries if entry.state == "applied"]
    views = sorted((head.get("proof") or {}).get("views", {}).items(), key=lambda item: item[1])
    found = {
        "event": min((c["at"] for c in head.get("causes", ()) if _moment(c["at"])), default=""),
        "started": head.get("started", ""),
        "planned": head.get("planned", ""),
        "applied": max(written, default=""),
        **{f"{view} view right": at for view, at in views},
        "closed": head.get("closed", ""),
    }
    known = {name: _moment(at) for name, at in found.items()}
    return {name: rfc3339(moment.timestamp()) for name, moment in known.items() if moment}


def durations(found: dict[str, str]) -> dict[str, float]:
    """Return how many seconds after the first moment each of the others was, none below zero."""
    begun = next(filter(None, map(_moment, found.values())), None)
    return {
        name: round(max((then - begun).total_seconds(), 0), 3)
        for name, at in found.items()
        if begun and (then := _moment(at))
    }


def took(head: Head) -> float | None:
    """Return how many seconds a change was open, None while it is."""
    begun, ended = (_moment(head.get(name, "")) for name in ("started", "closed"))
    return (ended - begun).total_seconds() if begun and ended else None


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
