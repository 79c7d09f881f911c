"""Counts and outcomes, in the words that people and scripts rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.model import Plan

OUTCOMES = ("failed", "undone", "applied", "held", "refused", "in_sync")
COUNTED = {"skip": "skipped", "wait": "waiting", "hold": "held", "refuse": "refused"}


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
