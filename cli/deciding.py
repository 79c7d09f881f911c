"""What there is to decide on: the decisions that stand under a change's id, and their words."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.padding import Padding

from cli.problems import Misuse
from cli.tables import ROWS, STYLES
from tailkeeper.decisions.telling import counted, grouped, lines


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cli.screen import Screen
    from tailkeeper.decisions.decision import Decision

ORDER = ("held", "refused", "rejected", "undone", "approved")


def under(
    known: Mapping[str, Decision], change_id: str, words: Collection[str], only: Sequence[str]
) -> list[Decision]:
    """Return what stands under a change's id with one of these words; raise Misuse when nothing.

    `only` names the keys that are meant, all of them if it is empty.
    """
    found = [d for d in known.values() if d.change_id == change_id and d.word in words]
    if not found:
        raise Misuse(f"nothing of change {change_id} is open to this: {open_now(known.values())}")
    keys = {one.key for one in found}
    if strange := [key for key in only if key not in keys]:
        raise Misuse(
            f"change {change_id} holds no {strange[0]}: it holds {', '.join(sorted(keys))}"
        )
    return in_order(one for one in found if not only or one.key in only)


def in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions by word, then by change, surface and name."""
    return sorted(
        decisions, key=lambda d: (ORDER.index(d.word), d.change_id, d.surface, d.place, d.key)
    )


def open_now(decisions: Iterable[Decision]) -> str:
    """Say what is held now, by change."""
    counts: dict[str, int] = {}
    for one in decisions:
        if one.word == "held":
            counts[one.change_id] = counts.get(one.change_id, 0) + 1
    held = [f"{counted(number)} of {change_id}" for change_id, number in sorted(counts.items())]
    return f"held now: {'; '.join(held)}" if held else "nothing is held now"


def show(screen: Screen, decisions: Sequence[Decision]) -> None:
    """Print decisions in order: by change, who decided what since when, then by reason."""
    for (change_id, who), found in groupby(decisions, lambda one: (one.change_id, _who(one))):
        group = list(found)
        since = min(one.since for one in group)[:19].replace("T", " ")
        said = f"Change {change_id}: {counted(len(group))} {who} since {since} UTC"
        screen.say(said, style=STYLES.get(group[0].word, ""))
        for reasons, alike in grouped(group):
            for line in lines(reasons, alike, shown=ROWS):
                text = line.lstrip()
                screen.say(Padding(text, (0, 0, 0, 2 + len(line) - len(text))))


def stay_undone(number: int, change_id: str) -> str:
    """Say that so many changes are not made until somebody approves."""
    return f"{counted(number)} stay undone; `tailkeeper approve {change_id}` lifts it."


def _who(one: Decision) -> str:
    return f"{one.word} by {one.by}" if one.by else one.word
