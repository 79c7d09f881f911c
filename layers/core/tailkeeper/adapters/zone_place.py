"""A zone as one run writes it: read where it is touched, written in batches, poison left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.writing import Written
from tailkeeper.adapters.zone_errors import Rejected, Unreachable
from tailkeeper.records.batches import packed, sorted_out
from tailkeeper.records.edits import edit_of
from tailkeeper.records.mark_edits import edit_of_mark, mark_name, standing_mark, texts_by_name
from tailkeeper.records.surface import ANSWERS, Held, held_by_name, stranger, value_of


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tailkeeper.adapters.zones import Zone, Zones
    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change
    from tailkeeper.records.batches import Batch, Edit

FEW = 5  # names that are cheaper to find one by one than by listing the zone


@dataclass
class Place:
    """A zone and what its touched names hold, read under the lease: Cloudflare compares nothing.

    `renew` keeps the lease, or raises LeaseLost: a plan of many batches may outlast it.
    """

    config: ZoneConfig
    zones: Zones
    zone: Zone
    renew: Callable[[], object]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    texts: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)

    def read(self, names: Sequence[str]) -> None:
        """Read what the names hold, marks' among them: each by itself when few, else the zone."""
        names = [mark_name(name) or name for name in names]
        few = len(names) <= FEW and all(map(self._is_in_its_marks, names))
        listings = (
            [self.zones.find_records(self.zone.id, name) for name in names]
            if few
            else [self.zones.list_records(self.zone.id)]
        )
        if why := next((listing.partial for listing in listings if listing.partial), ""):
            raise Unreachable(why)
        self.records = {r["id"]: r for listing in listings for r in listing.records}
        self.held = held_by_name(self.config, self.records.values())
        self.texts = texts_by_name(self.records.values())

    def _is_in_its_marks(self, host: str) -> bool:
        """Say whether searching for a name finds its marks too; a suffix comes between."""
        marks = (mark for kind in ANSWERS for mark in self.config.marks.candidates(host, kind))
        return all(host in mark for mark in marks)

    def current(self, change: Change) -> Any:
        """Return what a change's name holds of ours, or who stands in the change's way."""
        if name := mark_name(change.key):
            return standing_mark(self.texts.get(name, ()), change)
        held = self.held.get(change.key, Held())
        value = value_of(held)
        in_place = value == change.after or not change.after
        who = "" if in_place else stranger(change.key, held, value, change.after)
        return {"stranger": who} if who else value

    def write(self, changes: Sequence[Change]) -> Written:
        """Send the batches; return how many, and the names that Cloudflare rejects."""
        batches = packed(map(self._edit, changes), self.zone.operations)
        for batch in batches:
            self._send(batch)
        if self.rejected:
            self._pardon([change for change in changes if change.key in self.rejected])
        return Written(f"{len(batches)} batch{'' if len(batches) == 1 else 'es'}", self.rejected)

    def _edit(self, change: Change) -> Edit:
        if name := mark_name(change.key):
            return edit_of_mark(self.texts.get(name, ()), change)
        return edit_of(self.config, change, self.held.get(change.key, Held()))

    def _send(self, batch: Batch) -> None:
        """Send a batch; one that is refused is sent again without the edit that poisons it."""
        self.renew()
        try:
            receipts = self.zones.apply_batch(self.zone.id, batch)
        except Rejected as refusal:
            guilty, rest = sorted_out(batch, refusal.edit, full=refusal.full)
            self.rejected |= {edit.key: str(refusal) for edit in guilty}
            for part in rest:
                self._send(part)
        else:
            self._note(batch, receipts)

    def _note(self, batch: Batch, receipts: Sequence[Mapping[str, Any]]) -> None:
        """Keep the names' records as they are after a batch."""
        for edit in batch.edits:
            for delete in edit.deletes:
                self.records.pop(delete["id"], None)
        for receipt in receipts:
            written = (*receipt["patches"], *receipt["posts"])
            self.records |= {record["id"]: record for record in written}

    def _pardon(self, changes: Sequence[Change]) -> None:
        """Forget the rejection of what is in place: an earlier try, given up, had come through."""
        self.read([change.key for change in changes])
        for change in changes:
            if self.current(change) == change.after:
                del self.rejected[change.key]
