"""One surface's writes: lease, intent, write, receipt, in this order and safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.adapters.lease import Lease
from tailkeeper.applying import sort_out, to_apply
from tailkeeper.model import Plan


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tailkeeper.adapters.stack import Stack
    from tailkeeper.model import Change, Surface


@dataclass
class Report:
    """What became of a surface's changes; conflicts name the keys that others changed since."""

    surface: Surface
    applied: int = 0
    already: int = 0
    conflicts: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the report as the state carries it."""
        return {
            "surface": self.surface,
            "applied": self.applied,
            "already": self.already,
            "conflicts": self.conflicts[:20],
        }


@dataclass(frozen=True)
class Written:
    """What a write came to: its receipt, and by key why some of it was refused."""

    receipt: str
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Writing:
    """The writes of one Apply state, as its input asks for them."""

    stack: Stack
    event: Mapping[str, Any]

    @property
    def lease(self) -> Lease:
        """Return the run's lease."""
        return Lease.of(self.stack.table, self.event["run"])

    def changes(self, surface: Surface) -> dict[str, list[Change]]:
        """Return the changes that the guard lets through, by place."""
        return to_apply(Plan.from_json(self.stack.artifacts.unpack(self.event["plan"])), surface)

    def carry_out(
        self,
        changes: Sequence[Change],
        current: Callable[[Change], Any],
        write: Callable[[Sequence[Change]], Written],
        report: Report,
    ) -> None:
        """Journal what is to be written, write it, note the receipt; add to the report.

        `current` says what a change's key holds now; `write` writes all it is given, or raises.
        """
        self.lease.renew()
        piles = sort_out(changes, current)
        change_id, journal = self.event["change_id"], self.stack.journal
        round_ = round_of(self.event["run"]["fence"], self.event["round"])
        journal.intend(change_id, round_, piles.todo)
        if piles.todo:
            self.lease.renew()
            written = write(piles.todo)
            journal.receipt(change_id, round_, (_result(c, written) for c in piles.todo))
            report.applied += sum(change.key not in written.refused for change in piles.todo)
            report.conflicts += [f"{key}: {why}" for key, why in written.refused.items()]
        journal.receipt(change_id, round_, ((c, APPLIED, "in place") for c in piles.done))
        journal.receipt(change_id, round_, ((c, CONFLICT, "") for c in piles.conflicts))
        report.already += len(piles.done)
        report.conflicts += [change.key for change in piles.conflicts]


def _result(change: Change, written: Written) -> tuple[Change, str, str]:
    if change.key in written.refused:
        return change, CONFLICT, written.refused[change.key]
    return change, APPLIED, written.receipt
