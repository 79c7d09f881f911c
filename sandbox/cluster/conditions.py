"""Kubernetes conditions, as controllers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Condition = dict[str, Any]


def stamp(seconds: float) -> str:
    """Return epoch seconds as Kubernetes writes times."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(
    kind: str, *, true: bool, reason: str, message: str, generation: int | None = None
) -> Condition:
    """Return a condition without its time, which `merged` knows."""
    found: Condition = {
        "type": kind,
        "status": "True" if true else "False",
        "reason": reason,
        "message": message,
    }
    return found if generation is None else {**found, "observedGeneration": generation}


def merged(
    old: Iterable[Mapping[str, Any]] | None, new: Iterable[Condition], now: float
) -> list[Condition]:
    """Return the new conditions; one whose status did not change keeps its transition time."""
    before = {c["type"]: c for c in old or []}
    return [
        {**c, "lastTransitionTime": _since(before.get(c["type"]), c) or stamp(now)} for c in new
    ]


def _since(before: Mapping[str, Any] | None, after: Condition) -> str:
    same = before is not None and before["status"] == after["status"]
    return str(before.get("lastTransitionTime", "")) if before and same else ""
