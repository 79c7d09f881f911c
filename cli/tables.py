"""Plans, proofs and lists of changes as tables of at most 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from tailkeeper.summary import text_of


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailkeeper.model import Change

ROWS = 60
STYLES = {
    "applied": "green",
    "apply": "green",
    "in_sync": "green",
    "planned": "green",
    "healthy": "green",
    "held": "yellow",
    "hold": "yellow",
    "wait": "yellow",
    "degraded": "yellow",
    "blind": "yellow",
    "undone": "yellow",
    "rejected": "yellow",
    "approved": "green",
    "refused": "red",
    "refuse": "red",
    "failed": "red",
    "conflict": "red",
    "down": "red",
}


def table(*columns: str, whole: int = 1) -> Table:
    """Return an empty table in the one style of all; the first `whole` columns are not folded."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=place < whole)
    return made


def plan_table(changes: Sequence[Change]) -> Table:
    """Return a plan: what each change does to which name of which surface, and the verdict."""
    made = table("surface", "name", "before", "after", "verdict", whole=2)
    for change in changes[:ROWS]:
        word = change.verdict.word if change.verdict else ""
        made.add_row(
            change.surface,
            change.key,
            text_of(change.before),
            text_of(change.after),
            verdict_of(change),
            style=STYLES.get(word) if word != "apply" else None,
        )
    if len(changes) > ROWS:
        made.add_row("", f"and {len(changes) - ROWS} more")
    return made


def verdict_of(change: Change) -> str:
    """Return the guard's word on a change, and why unless it is to be applied."""
    if not change.verdict:
        return ""
    if change.verdict.word == "apply":
        return "apply"
    return f"{change.verdict.word}: {'; '.join(change.verdict.reasons)}"


def counts_text(counts: Mapping[str, int]) -> str:
    """Return a plan's counts without the zeros: `2 create, 1 held`."""
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no change"
