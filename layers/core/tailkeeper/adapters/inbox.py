"""The receivers' way to the bus: each event once, durable before it counts as seen.

An event is claimed for a minute before it is handed over and marked as seen for 25 hours after, so
a hand-over that failed can be repeated, at once, and a replay cannot.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import Aws, AwsError, ConditionFailed
from tailkeeper.adapters.table import Table


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tailkeeper.model import Cause

PENDING = 60
SEEN = 25 * 3600
KEPT_POISON = 14 * 24 * 3600
CAUSES_AN_ENTRY = 100
ENTRIES_A_CALL = 5  # PutEvents takes ten, and 256 KB in all
POISON_BYTES = 100_000
FREE = "attribute_not_exists(pk) OR seen_until <= :now OR claimant = :claimant"


class HandOverFailed(Exception):
    """The bus did not take every event; a repeated delivery can help."""


@dataclass(frozen=True)
class Inbox:
    """Deduplication in the table, hand-over to the bus."""

    aws: Aws = field(default_factory=Aws)
    now: Callable[[], float] = time.time

    @property
    def table(self) -> Table:
        """Return the stack's table."""
        return Table(self.aws)

    def take_in(self, source: str, found: Mapping[str, Cause], *, dry_run: bool = False) -> int:
        """Hand over the causes, by their events' ids, that were not seen; return how many.

        All of them are durable then. Raise HandOverFailed when some may not be: what the bus did
        not take, and what another delivery has in its hands and may yet drop.
        """
        ours = {event_id: found[event_id] for event_id in self._claimed(found)}
        if ours:
            self.hand_over(source, ours, dry_run=dry_run)
        return len(ours)

    def claim(self, event_id: str) -> bool:
        """Return whether this event is ours to hand over: neither seen nor being handed over."""
        # Whose claim it is: one whose answer got lost is sent again, and must know itself.
        claimant = os.urandom(8).hex()
        try:
            self._mark(event_id, PENDING, FREE, claimant)
        except ConditionFailed:
            return False
        return True

    def seen(self, event_id: str) -> bool:
        """Return whether an event was handed over, not only claimed."""
        mark = self.table.get(f"event#{event_id}", "event") or {}
        return not mark.get("claimant", "?") and mark["seen_until"] > int(self.now())

    def hand_over(self, source: str, claimed: Mapping[str, Cause], *, dry_run: bool) -> None:
        """Put the causes on the bus and mark their events as seen; raise HandOverFailed."""
        causes = list(claimed.values())
        entries = [
            self._entry(source, causes[start : start + CAUSES_AN_ENTRY], dry_run=dry_run)
            for start in range(0, len(causes), CAUSES_AN_ENTRY)
        ]
        try:
            for start in range(0, len(entries), ENTRIES_A_CALL):
                self._put(entries[start : start + ENTRIES_A_CALL])
        except HandOverFailed:
            self._mark_all(claimed, 0)  # claimed by nobody: a repeat may come within the minute
            raise
        self._mark_all(claimed, SEEN)

    def keep_poison(self, source: str, texts: Iterable[str]) -> None:
        """Keep what could not be read for two weeks, to be inspected (`poison` in the table)."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))
        for text in texts:
            self.table.put(
                {
                    "pk": "poison",
                    "sk": f"{stamp}#{source}#{sha256(text.encode()).hexdigest()[:12]}",
                    "text": text[:POISON_BYTES],
                    "expires_at": int(self.now()) + KEPT_POISON,
                }
            )

    def _claimed(self, event_ids: Iterable[str]) -> list[str]:
        ours: list[str] = []
        for event_id in event_ids:
            if self.claim(event_id):
                ours.append(event_id)
            elif not self.seen(event_id):
                self._mark_all(ours, 0)
                raise HandOverFailed("another delivery has the event in its hands")
        return ours

    def _mark_all(self, event_ids: Iterable[str], seconds: int) -> None:
        for event_id in event_ids:
            self._mark(event_id, seconds)

    def _mark(self, event_id: str, seconds: int, condition: str = "", claimant: str = "") -> None:
        now = int(self.now())
        item = {"pk": f"event#{event_id}", "sk": "event", "seen_until": now + seconds}
        values = {"now": now, "claimant": claimant} if condition else {}
        self.table.put(
            {**item, "claimant": claimant, "expires_at": now + SEEN}, condition, **values
        )

    @staticmethod
    def _entry(source: str, causes: Sequence[Cause], *, dry_run: bool) -> dict[str, Any]:
        detail: dict[str, Any] = {"causes": [cause.as_json() for cause in causes]}
        return {
            "Source": f"tailkeeper.{source}",
            "DetailType": "Causes",
            "EventBusName": os.environ["BUS"],
            "Detail": json.dumps(detail | {"dry_run": True} if dry_run else detail),
        }

    def _put(self, entries: list[dict[str, Any]]) -> None:
        try:
            answer = self.aws.call("events", "PutEvents", Entries=entries)
        except AwsError as error:
            raise HandOverFailed(f"the bus answered {error.code}") from error
        if answer.get("FailedEntryCount"):
            codes = {entry.get("ErrorCode") for entry in answer["Entries"]} - {None}
            raise HandOverFailed(f"the bus refused {answer['FailedEntryCount']} entries: {codes}")
