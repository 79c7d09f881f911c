"""The guard: a pure function of changes and facts to a verdict on each change, with reasons.

Cause decides, not percentages alone. The first row that matches wins:

    row  situation                                                               verdict
    ---  ----------------------------------------------------------------------  -------------------
    1    a record of another owner or without a mark; a protected name           skip, report
    2    another writer is at work on the surface                                hold
    3    the gateway's target is no tailnet address, ambiguous, or offline       refuse: last good
    4    a delete, and its source is partial                                     refuse
    7    an update from a gateway's old answer to its new one                   apply, in any number
    8    a delete, and its source shrank to nothing                              hold
    10   a delete seen in one complete read                                      wait
    11   deletes within the limit                                                apply
    12   deletes over it                                                         hold all
    13   any other create or update                                              apply

Rows 5, 6 and 9 (decisions, approvals, pending commits) come with what they read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailkeeper.config import GuardLimits
from tailkeeper.model import Change, Verdict


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guard knows besides the changes; keys are places, gateways, `<cluster>/<kind>`.

    `missing_since` holds, by (place, key), when a name was first seen missing (epoch seconds).
    `names` counts, by place, the names that are ours there; `sources`, by (place, source), those
    that a source shows for a place, after its filters.
    """

    now: float
    sweep_seconds: float = 300
    limits: GuardLimits = field(default_factory=GuardLimits)
    writers: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    missing_since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[tuple[str, str], int] = field(default_factory=dict)


def judge(changes: Iterable[Change], facts: Facts) -> tuple[Change, ...]:
    """Return the changes, each with the guard's verdict."""
    first = [change.judged(_alone(change, facts)) for change in changes]
    counted = Counter(c.place for c in first if c.verdict and c.verdict.row == COUNTED.row)
    return tuple(_counted(change, counted, facts) for change in first)


COUNTED = Verdict("apply", 11)  # a delete that only its number can still stop


def _alone(change: Change, facts: Facts) -> Verdict:
    """Return the verdict on a change for what it is, before deletes are counted."""
    if change.obstacle:
        return Verdict("skip", 1, (change.obstacle,))
    if writer := facts.writers.get(change.place):
        return Verdict("hold", 2, (f"{writer} is at work on {change.place}",))
    if reasons := facts.refusals.get(change.gateway):
        return Verdict("refuse", 3, reasons)
    if change.action == "Delete":
        return _delete(change, facts)
    if change.moved:
        return Verdict("apply", 7, (f"gateway {change.gateway} has moved",))
    return Verdict(
        "apply", 13, (f"{change.action.lower()}d by {change.source or 'configuration'}",)
    )


def _delete(change: Change, facts: Facts) -> Verdict:
    # A mark of old may name no object: then each source may have been the one.
    sources = [change.source] if change.source else _known(change.place, facts)
    if unread := next((source for source in sources if source in facts.partial), ""):
        why = f"{unread} was not read completely: {facts.partial[unread]}"
        return Verdict("refuse", 4, (why,))
    if not any(facts.sources.get((change.place, source)) for source in sources):
        why = f"{change.source or 'every source'} shrank to nothing for {change.place}"
        return Verdict("hold", 8, (why,))
    since = facts.missing_since.get((change.place, change.key))
    if since is None or facts.now - since < facts.sweep_seconds:
        return Verdict("wait", 10, ("missing in one complete read; a second one decides",))
    return COUNTED


def _known(place: str, facts: Facts) -> list[str]:
    return sorted({*facts.partial, *(source for at, source in facts.sources if at == place)})


def _counted(change: Change, counted: Mapping[str, int], facts: Facts) -> Change:
    if change.verdict is not COUNTED:
        return change
    deletes, ours = counted[change.place], facts.names.get(change.place, 0)
    limit = max(facts.limits.deletes, int(facts.limits.delete_share * ours))
    share = f"{deletes} of {ours} names of {change.place} would go; the limit is {limit}"
    return change.judged(
        Verdict("hold", 12, (share,)) if deletes > limit else Verdict("apply", 11, (share,))
    )
