"""What is ours in a zone, remembered from one listing to the next, so that an event needs none.

listed / <zone>     {writes, packed, at, settings}

`writes` rises before each write, and with it goes what was remembered: who listed the zone before a
write, or died in it, leaves nothing behind that is wrong. `at` is when the zone was listed last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import AwsError, ConditionFailed
from tailkeeper.adapters.packing import packed, unpacked
from tailkeeper.config.documents import document_of
from tailkeeper.model import digest_of
from tailkeeper.records.remembered import kept_of, wanted_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.adapters.stack import Stack
    from tailkeeper.config import ZoneConfig
    from tailkeeper.world import World

PARTITION = "listed"
INLINE = 4000  # bytes that an item holds by itself: a home's zone needs no object
GONE = frozenset({403, 404})  # S3 says 403 to who may not list the bucket


@dataclass(frozen=True)
class Remembered:
    """The records kept of a zone, and when it was listed (epoch seconds)."""

    records: list[dict[str, Any]]
    at: float


@dataclass(frozen=True)
class ZoneMemory:
    """The memory of one zone."""

    stack: Stack
    zone: ZoneConfig

    @property
    def writes(self) -> int:
        """Return how often the zone was written: read before a listing, given to `remember`."""
        return int((self._item() or {}).get("writes", 0))

    def recall(self, since: float = 0) -> Remembered | None:
        """Return what is remembered, unless the zone was listed before, or under other settings."""
        item = self._item()
        if not item or "packed" not in item:
            return None
        if item["at"] < since or item["settings"] != self._settings:
            return None
        try:
            document = unpacked(self.stack.artifacts.unpack(item["packed"]))
        except AwsError as error:
            if error.status in GONE:
                return None
            raise
        return Remembered(document["records"], item["at"])

    def remember(self, records: Iterable[Mapping[str, Any]], at: float, writes: int) -> None:
        """Keep records of a zone that was listed at a time, unless it was written since."""
        text = packed({"records": list(records)})
        item = {
            "pk": PARTITION,
            "sk": self.zone.name,
            "writes": writes,
            "packed": self.stack.artifacts.pack(text, "zones", budget=INLINE),
            "at": at,
            "settings": self._settings,
        }
        unwritten = "attribute_not_exists(writes) OR writes = :writes"
        try:
            self.stack.table.put(item, unwritten, writes=writes)
        except ConditionFailed:
            return

    def forget(self) -> int:
        """Forget everything, as before each write; return how often the zone was written by now."""
        item = self.stack.table.update(
            PARTITION, self.zone.name, "ADD writes :one REMOVE packed", one=1
        )
        return int(item["writes"])

    def _item(self) -> dict[str, Any] | None:
        return self.stack.table.get(PARTITION, self.zone.name)

    @property
    def _settings(self) -> str:
        return digest_of(document_of(self.zone))[:16]


def remember_listings(stack: Stack, world: World, now: float) -> None:
    """Keep what is ours of each zone that a run has listed completely."""
    for zone in world.config.zones:
        observed = world.zones[zone.name]
        if observed.get("listed") and not observed["why"]:
            held, wanted = world.held[zone.name], wanted_of(world, zone)
            kept = kept_of(zone, observed["records"], held, wanted)
            ZoneMemory(stack, zone).remember(kept, now, observed["writes"])
