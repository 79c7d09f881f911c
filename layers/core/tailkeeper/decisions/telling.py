"""What people are told of a hold: one message for all of it, grouped by reason."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.decisions.decision import Decision

SHOWN = 5  # changes of one reason
REASONS = 10
WIDEST = 100  # characters of a subject, for SNS


def subject(held: Sequence[Decision]) -> str:
    """Return the message's first line: how many changes, and where."""
    places = list(dict.fromkeys(one.place for one in held))
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    text = f"tailkeeper holds {counted(len(held))} of {places[0]}{more}"
    return text.encode("ascii", "replace").decode()[:WIDEST]


def text(change_id: str, held: Sequence[Decision], link: str, expires: int) -> str:
    """Return the message: what is held and why, and how to decide; `link` may be "".

    What another writer keeps from being done is no person's to approve, and so it says.
    """
    wait = "waits" if len(held) == 1 else "wait"
    parts = [f"{counted(len(held))} {wait} for you; change {change_id}. Nothing else is held up."]
    groups = grouped(held)
    parts += [_group(reasons, group) for reasons, group in groups[:REASONS]]
    if more := len(groups) - REASONS:
        parts += [f"... and {more} reasons more" if more > 0 else ""]
    if any(one.decidable for one in held):
        parts.append(_ways(change_id, link, expires))
    return "\n\n".join(filter(None, parts)) + "\n"


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


def _group(reasons: str, group: Sequence[Decision]) -> str:
    lines = [f"{reasons}:"]
    lines += [f"  {sentence(one)} ({one.surface})" for one in group[:SHOWN]]
    if len(group) > SHOWN:
        lines.append(f"  ... and {len(group) - SHOWN} more")
    if not group[0].decidable:
        lines.append("  This is not for approval: it goes on by itself when the cause is mended.")
    return "\n".join(lines)


def _ways(change_id: str, link: str, expires: int) -> str:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
    page = f"See the plan and decide; the link works once, until {until}:\n  {link}\n\nOr decide"
    return (
        f"{page if link else 'Decide'} on the command line:\n"
        f"  tailkeeper approve {change_id}\n"
        f"  tailkeeper reject {change_id}\n\n"
        "What has moved by then is held again, and you are asked again."
    )
