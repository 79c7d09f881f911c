"""What a plan means for the decisions that stand: what is news to people, and what is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailkeeper.decisions.decision import BACK, LIFTED, Decision, mark_of


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tailkeeper.decisions.decision import Word
    from tailkeeper.model import Change, Plan


def stopped(plan: Plan | None) -> tuple[Change, ...]:
    """Return the changes that are held or refused."""
    return (*plan.with_word("hold"), *plan.with_word("refuse")) if plan else ()


def asking(plan: Plan | None) -> tuple[Change, ...]:
    """Return the changes that people should know of: held or refused, and not by a decision."""
    return tuple(c for c in stopped(plan) if c.verdict and not c.verdict.silent)


def unheard(plan: Plan | None, known: Mapping[str, Decision]) -> list[Decision]:
    """Return what a plan does not make again since it was undone, of which nobody was told."""
    silent = [known.get(c.digest) for c in stopped(plan) if c.verdict and c.verdict.silent]
    return [one for one in silent if one and one.news]


def _open(
    plan: Plan | None, known: Mapping[str, Decision]
) -> Iterator[tuple[Change, Decision | None]]:
    """Yield what people should know of, with what stands about it.

    What they put back stays so, and silent, should another row of the guard stop it meanwhile.
    """
    for change in asking(plan):
        old = known.get(change.digest)
        if not (old and old.word in BACK):
            yield change, old


def remembered(
    plan: Plan | None, known: Mapping[str, Decision], change_id: str, now: float
) -> Iterator[Decision]:
    """Yield what a run's end has to note about its plan; what has been told keeps its change.

    A refusal is told by the run itself, a hold by Tell People: until then it is news; so is what
    was undone, should its own run have died.
    """
    for one in unheard(plan, known):
        yield replace(one, change_id=change_id)
    for change, old in _open(plan, known):
        word: Word = "held" if change.verdict and change.verdict.word == "hold" else "refused"
        new = Decision.on(change, word, change_id, now)
        if old and old.word in {"held", "refused"}:
            new = replace(new, told=old.told, since=old.since)
            new = new if new.news else replace(new, change_id=old.change_id)
        if new.news and word == "refused":
            new = new.as_told()
        if new.news or not old or replace(new, expires=old.expires) != old:
            yield new


def untold(plan: Plan | None, known: Mapping[str, Decision]) -> int:
    """Return how many changes are held, refused or undone of which nobody was told why."""
    new = [
        change
        for change, old in _open(plan, known)
        if change.verdict and not (old and mark_of(change.verdict.reasons) in old.told)
    ]
    return len(new) + len(unheard(plan, known))


def over(
    plan: Plan | None, known: Mapping[str, Decision], surfaces: Collection[str]
) -> list[Decision]:
    """Return the decisions that a plan of these surfaces, read completely, has outlived.

    Were they kept, the same hold a month later would be silent, and an old approval still valid.
    """
    places = {*surfaces, ""}  # "": approved by hand, and never asked
    found = [one for one in known.values() if one.word in LIFTED and one.surface in places]
    if not found:
        return []
    asked = {change.digest for change in asking(plan)}
    planned = asked | {c.digest for c in (plan.with_word("apply") if plan else ())}
    return [
        one for one in found if one.digest not in (planned if one.word == "approved" else asked)
    ]
