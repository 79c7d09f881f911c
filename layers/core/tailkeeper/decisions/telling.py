"""What people are told of holds, and of what was taken back: one message, grouped by reason."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.decisions.decision import Decision

STOPPED = frozenset({"held", "refused"})
SHOWN = 5  # changes of one reason
REASONS = 10
WIDEST = 100  # characters of a subject, for SNS


def subject(news: Sequence[Decision]) -> str:
    """Return the message's first line: how many changes are held or were taken back, and where."""
    places = list(dict.fromkeys(one.place for one in news))
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    back, held = _parted(news)
    words = [f"took back {counted(len(back))}"] if back else []
    words += [f"holds {counted(len(held))}"] if held else []
    text = f"tailkeeper {' and '.join(words)} of {places[0]}{more}"
    return text.encode("ascii", "replace").decode()[:WIDEST]


def text(change_id: str, news: Sequence[Decision], link: str, expires: int) -> str:
    """Return the message: what is held or taken back, why, and how to decide; `link` may be "".

    What another writer keeps from being done is no person's to approve, and so it says.
    """
    back, held = _parted(news)
    parts = [f"{counted(len(back))} taken back, and not made again until you approve."] * bool(back)
    wait = "waits" if len(held) == 1 else "wait"
    parts += [f"{counted(len(held))} {wait} for you. Nothing else is held up."] * bool(held)
    parts = [f"Change {change_id}: {' '.join(parts)}"]
    groups = grouped(news)
    parts += ["\n".join(lines(reasons, group)) for reasons, group in groups[:REASONS]]
    if more := len(groups) - REASONS:
        parts += [f"... and {more} reasons more" if more > 0 else ""]
    if any(one.decidable for one in news):
        parts.append(_ways(change_id, link, expires))
    return "\n\n".join(filter(None, parts)) + "\n"


def _parted(news: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Return what was taken back, and what is held."""
    back = [one for one in news if one.word == "undone"]
    return back, [one for one in news if one.word != "undone"]


def counted(number: int, noun: str = "change") -> str:
    """Return a number of things in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def grouped(held: Sequence[Decision]) -> list[tuple[str, list[Decision]]]:
    """Return the changes by their reasons, in words, the largest group first."""
    groups: dict[str, list[Decision]] = {}
    for one in held:
        groups.setdefault("; ".join(one.reasons), []).append(one)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def sentence(one: Decision) -> str:
    """Return what a change would do, in one line."""
    match one.action:
        case "Create":
            return f"create {one.key}: {one.after}"
        case "Delete":
            return f"delete {one.key}: {one.before}"
        case _:
            return f"update {one.key}: {one.before} -> {one.after}"


def lines(reasons: str, group: Sequence[Decision], shown: int = SHOWN) -> list[str]:
    """Return a reason and what it stops, the first ones by name; and if no approval helps."""
    found = [f"{reasons}:"] if reasons else []
    found += [f"  {sentence(one)} ({one.surface})" for one in group[:shown]]
    if len(group) > shown:
        found.append(f"  ... and {len(group) - shown} more")
    if group[0].word in STOPPED and not group[0].decidable:
        found.append("  This is not for approval: it goes on by itself when the cause is mended.")
    return found


def _ways(change_id: str, link: str, expires: int) -> str:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
    page = f"See the plan and decide; the link works once, until {until}:\n  {link}\n\nOr decide"
    return (
        f"{page if link else 'Decide'} on the command line:\n"
        f"  tailkeeper approve {change_id}\n"
        f"  tailkeeper reject {change_id}\n\n"
        "What has moved by then is held again, and you are asked again."
    )
