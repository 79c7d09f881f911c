"""Counts and outcomes, in the words that people and scripts rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailkeeper.model import Plan

OUTCOMES = ("failed", "undone", "applied", "held", "refused", "in_sync")
COUNTED = {"skip": "skipped", "wait": "waiting", "hold": "held", "refuse": "refused"}
TEXTS: dict[str, Callable[[Any], str]] = {
    "records": lambda records: ", ".join(f"{r['type']} {r['content']}" for r in records),
    "addresses": ", ".join,
    "nameservers": ", ".join,
    "text": lambda text: f"somebody's document, {_number(len(text.splitlines()), 'line')}",
    "mode": lambda mode: f"our {'Corefile' if mode == 'corefile' else 'hosts file'}",
    "mark": lambda content: "mark " + content.strip('"'),
    "suspend": lambda suspended: "suspended" if suspended else "running",
    "replicas": lambda number: _number(number, "replica"),
}


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def counts_of(plan: Plan | None) -> dict[str, int]:
    """Return how many changes of each action are applied, and how many of each other verdict."""
    counts = dict.fromkeys(
        ("create", "update", "delete", "skipped", "waiting", "held", "refused"), 0
    )
    for change in plan.changes if plan else ():
        word = change.verdict.word if change.verdict else "wait"
        counts[change.action.lower() if word == "apply" else COUNTED[word]] += 1
    return counts


def outcome_of(counts: Mapping[str, int], *, failed: bool, undone: bool, adopted: bool) -> str:
    """Return the first outcome that is true, in the order of OUTCOMES."""
    applied = adopted or any(counts[action] for action in ("create", "update", "delete"))
    truths = (failed, undone, applied, counts["held"], counts["refused"], True)
    return next(outcome for outcome, true in zip(OUTCOMES, truths, strict=True) if true)


def text_of(value: Any) -> str:
    """Return a change's `before` or `after` in one short text (tailkeeper.model has the shapes)."""
    if not isinstance(value, dict):
        return "-" if value is None else str(value)
    shape = next((name for name in TEXTS if name in value), "")
    return TEXTS[shape](value[shape]) if shape else str(value)
