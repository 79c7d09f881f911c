"""What is written to a zone for one name, and how names are packed into Cloudflare's batches.

A batch is one transaction of limited size: the edits of one name, its records and its marks, are
never spread over two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("deletes", "patches", "posts")  # Cloudflare's order, whatever the order in the body


@dataclass(frozen=True, slots=True)
class Edit:
    """The writes for one name: bodies of Cloudflare's batch; deletes and patches carry an `id`."""

    key: str
    deletes: tuple[dict[str, Any], ...] = ()
    patches: tuple[dict[str, Any], ...] = ()
    posts: tuple[dict[str, Any], ...] = ()

    @property
    def size(self) -> int:
        """Return the number of operations."""
        return len(self.deletes) + len(self.patches) + len(self.posts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Edits that are carried out together or not at all."""

    edits: tuple[Edit, ...]

    @property
    def body(self) -> dict[str, list[dict[str, Any]]]:
        """Return the request's body, without empty lists."""
        lists = {kind: [op for e in self.edits for op in getattr(e, kind)] for kind in KINDS}
        return {kind: operations for kind, operations in lists.items() if operations}

    @property
    def halves(self) -> tuple[Batch, ...]:
        """Return two smaller batches, to find the edit that poisons this one; one edit has none."""
        middle = len(self.edits) // 2
        return (Batch(self.edits[:middle]), Batch(self.edits[middle:])) if middle else ()

    def edit_at(self, kind: str, index: int) -> Edit | None:
        """Return the edit to which an operation of the body belongs, if there is such a one."""
        known = kind in KINDS
        owners = [edit for edit in self.edits for _ in (getattr(edit, kind) if known else ())]
        return owners[index] if 0 <= index < len(owners) else None

    def without(self, edit: Edit) -> Batch | None:
        """Return the batch less one edit, or None when nothing is left."""
        return self._of(e for e in self.edits if e is not edit)

    def parted(self, edit: Edit) -> tuple[Batch | None, tuple[Edit, ...]]:
        """Return what has room before an edit for which there is none, and the edits that have not.

        Edits that post nothing need no room.
        """
        place = next(n for n, e in enumerate(self.edits) if e is edit)
        first, rest = self.edits[:place], self.edits[place:]
        out = tuple(e for e in rest if e.posts)
        return self._of((*first, *(e for e in rest if not e.posts))), out

    @staticmethod
    def _of(edits: Iterable[Edit]) -> Batch | None:
        rest = tuple(edits)
        return Batch(rest) if rest else None


def sorted_out(
    batch: Batch, guilty: Edit | None, *, full: bool
) -> tuple[tuple[Edit, ...], list[Batch]]:
    """Return the edits to which the refusal of a batch is laid, and what is sent instead of it.

    `guilty` is the edit that was named, if one was; `full` that there was no room for it.
    """
    if not guilty:
        return (() if batch.halves else batch.edits), list(batch.halves)
    rest, out = batch.parted(guilty) if full else (batch.without(guilty), (guilty,))
    return out, [rest] if rest else []


def packed(edits: Iterable[Edit], limit: int) -> list[Batch]:
    """Return as few batches of at most `limit` operations as the given order allows.

    An edit that is alone too large gets a batch of its own: the API, not we, says no.
    """
    batches: list[list[Edit]] = []
    room = 0
    for edit in edits:
        if not batches or edit.size > room:
            batches.append([])
            room = limit
        batches[-1].append(edit)
        room -= edit.size
    return [Batch(tuple(batch)) for batch in batches]
