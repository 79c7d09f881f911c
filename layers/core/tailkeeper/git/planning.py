"""The plan of a world whose commits are known: what is to do now, and what waits for the cluster.

Git never replaces what the cluster says: of a push, what the cluster does not show yet is shown as
changes that wait. Of a pull request, the plan is the one that would follow if it were applied.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailkeeper.model import Plan, Verdict
from tailkeeper.planning import Draft, plan_world


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.model import Change
    from tailkeeper.world import World

FORESEEN = 0
"""The row of a verdict that no row of the guard gave: the cluster has yet to apply the commit."""


def plan_commits(world: World, surfaces: Iterable[str], now: float, sweep_seconds: float) -> Draft:
    """Return the plan of the surfaces asked for, with what the run's commits foresee."""
    asked = tuple(surfaces)
    draft = plan_world(world, asked, now, sweep_seconds)
    foresight = world.foresight
    if foresight is None:
        return draft
    told = (*foresight.troubles, *foresight.reports)
    future = replace(world, clusters=foresight.clusters, foresight=None)
    coming = plan_world(future, asked, now, sweep_seconds)
    if foresight.proposed:
        return replace(coming, reports=(*told, *coming.reports))
    changes = (*(draft.plan.changes if draft.plan else ()), *_waiting(draft, coming))
    return replace(draft, plan=Plan.of(changes), reports=(*told, *draft.reports))


def _waiting(draft: Draft, coming: Draft) -> Iterator[Change]:
    """Yield what is foreseen and not to do now, as changes that wait for the cluster."""
    now = {_place(change) for change in draft.plan.changes} if draft.plan else set()
    for change in coming.plan.changes if coming.plan else ():
        verdict = change.verdict
        if _place(change) not in now and verdict and verdict.word != "skip":
            shows = "still has it" if change.action == "Delete" else "has yet to accept it"
            then = () if verdict.word in {"apply", "wait"} else (f"then {verdict.word}",)
            reasons = (f"a commit foresees it; the cluster {shows}", *then, *verdict.reasons)
            yield change.judged(Verdict("wait", FORESEEN, reasons))


def _place(change: Change) -> tuple[str, str, str]:
    return change.surface, change.place, change.key
