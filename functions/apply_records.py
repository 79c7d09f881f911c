"""State Apply Records: one batch for a zone; a name's records and marks never apart."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.writing import Report, Writing, Written
from tailkeeper.adapters.zone_errors import Rejected, Unreachable
from tailkeeper.adapters.zone_ids import ZoneIds
from tailkeeper.adapters.zones import Zone, Zones, connect
from tailkeeper.config import Config, ZoneConfig
from tailkeeper.edits import Batch, Edit, packed
from tailkeeper.mark_edits import edit_of_mark, mark_name, standing_mark, texts_by_name
from tailkeeper.record_edits import edit_of
from tailkeeper.records import ANSWERS, Held, held_by_name, value_of


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tailkeeper.model import Change

FEW = 5  # names that are cheaper to find one by one than by listing the zone
logger = Logger(service="apply-records")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the report of the surface; raise Unreachable, Unsettled, Throttled, Unauthorized."""
    writing, report = Writing(stack(), event), Report("records")
    places = writing.changes("records")
    for config in Config.from_json(event["config"]).zones if places else ():
        if changes := places.get(config.name):
            token = stack().secret("CLOUDFLARE_SECRET")["api_token"]
            zones = Zones(connect(os.environ["CLOUDFLARE_URL"], token))
            zone = ZoneIds(stack().table, zones).zone(config.name)
            place = Place(config, zones, zone, writing.lease.renew)
            place.read([mark_name(change.key) or change.key for change in changes])
            write = Ledger(stack().table, config.name).noting(place.write)
            writing.carry_out(changes, place.current, write, report)
    logger.info("applied", extra=report.as_json())
    return report.as_json()


@dataclass
class Place:
    """A zone and what its touched names hold, read under the lease: Cloudflare compares nothing.

    `renew` keeps the lease, or raises LeaseLost: a plan of many batches may outlast it.
    """

    config: ZoneConfig
    zones: Zones
    zone: Zone
    renew: Callable[[], object]
    held: Mapping[str, Held] = field(default_factory=dict)
    texts: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)

    def read(self, names: Sequence[str]) -> None:
        """Read what the names hold: each by itself when they are few, else the zone."""
        few = len(names) <= FEW and all(map(self._is_in_its_marks, names))
        listings = (
            [self.zones.find_records(self.zone.id, name) for name in names]
            if few
            else [self.zones.list_records(self.zone.id)]
        )
        if why := next((listing.partial for listing in listings if listing.partial), ""):
            raise Unreachable(why)
        records = {record["id"]: record for listing in listings for record in listing.records}
        self.held = held_by_name(self.config, records.values())
        self.texts = texts_by_name(records.values())

    def _is_in_its_marks(self, host: str) -> bool:
        """Say whether searching for a name finds its marks too; a suffix comes between."""
        marks = (mark for kind in ANSWERS for mark in self.config.marks.candidates(host, kind))
        return all(host in mark for mark in marks)

    def current(self, change: Change) -> Any:
        """Return what a change's name holds of ours."""
        if mark_name(change.key):
            return standing_mark(self.texts.get(mark_name(change.key), ()), change)
        return value_of(self.held.get(change.key))

    def write(self, changes: Sequence[Change]) -> Written:
        """Send the batches; return how many, and the names that Cloudflare rejects."""
        batches = packed(map(self._edit, changes), self.zone.operations)
        for batch in batches:
            self._send(batch)
        if self.rejected:
            self._pardon([change for change in changes if change.key in self.rejected])
        return Written(f"{len(batches)} batches", self.rejected)

    def _edit(self, change: Change) -> Edit:
        if name := mark_name(change.key):
            return edit_of_mark(self.texts.get(name, ()), change)
        return edit_of(self.config, change, self.held.get(change.key, Held()))

    def _send(self, batch: Batch) -> None:
        """Send a batch; one that is refused is sent again without the edit that poisons it."""
        self.renew()
        try:
            self.zones.apply_batch(self.zone.id, batch)
        except Rejected as refusal:
            rest = [batch.without(refusal.edit)] if refusal.edit else list(batch.halves)
            if refusal.edit or not rest:
                guilty = refusal.edit or batch.edits[0]
                logger.warning("rejected", extra={"host": guilty.key, "why": str(refusal)})
                self.rejected[guilty.key] = str(refusal)
            for part in rest:
                if part:
                    self._send(part)

    def _pardon(self, changes: Sequence[Change]) -> None:
        """Forget the rejection of what is in place: an earlier try, given up, had come through."""
        self.read([change.key for change in changes])
        for change in changes:
            if self.current(change) == change.after:
                del self.rejected[change.key]
