"""Which deliveries of a webhook to ask for again: GitHub tries each once, and never by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.moments import epoch


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT = 3 * 24 * 3600  # seconds: GitHub sends nothing older again
MOST_TRIES = 5  # of one event: what is refused so often is refused for good
AT_ONCE = 20


def to_ask(deliveries: Iterable[Mapping[str, Any]], now: float) -> list[int]:
    """Return the ids to ask for: the last try of each event that was never accepted.

    `deliveries` are as GitHub lists them; the tries of one event share its guid.
    """
    by_event: dict[str, list[Mapping[str, Any]]] = {}
    for delivery in deliveries:
        by_event.setdefault(delivery["guid"], []).append(delivery)
    failed = [
        max(tries, key=lambda one: int(one["id"]))
        for tries in by_event.values()
        if len(tries) < MOST_TRIES and not any(_is_accepted(one) for one in tries)
    ]
    fresh = (one["id"] for one in failed if now - epoch(one["delivered_at"]) < KEPT)
    return sorted(int(identity) for identity in fresh)[:AT_ONCE]


def _is_accepted(delivery: Mapping[str, Any]) -> bool:
    return str(delivery["status_code"]).startswith("2")
