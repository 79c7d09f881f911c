"""The guard: a pure function of changes and facts to a verdict on each change, with reasons.

Cause decides, not percentages alone. The first row that matches wins:

    row  situation                                                               verdict
    ---  ----------------------------------------------------------------------  -------------------
    1    a record of another owner or without a mark; a protected name           skip, report
    2    another writer is at work on the surface, or brought his value back     hold
    3    the gateway's target is no tailnet address, ambiguous, or offline       refuse: last good
    4    a delete, and a source that may ask for the name is partial             refuse
    5    a digest that a person rejected, or that was undone                     hold, silently
    6    a digest that a person approved                                         apply
    7    an update from a gateway's old answer to its new one                   apply, in any number
    8    a delete, and its source shrank to nothing                              hold
    9    a delete that a pending commit explains                                 apply
    10   a delete seen in one complete read                                      wait
    11   deletes within the limit                                                apply
    12   deletes over it                                                         hold all
    13   any other create or update                                              apply

What no person can approve comes before row 6. Row 9 needs no second read: the commit is one.
Deletes that people decided on count for row 12: who approves one of four has not approved three.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailkeeper.config import GuardLimits
from tailkeeper.model import Change, Verdict


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guard knows besides the changes; keys are places, gateways, `<cluster>/<kind>`.

    `contested` holds, by (place, key), the verdict on what others write; key "" is a whole place.
    `missing_since` holds, by (place, key), when a name was first seen missing (epoch seconds).
    `names` counts, by place, the names that are ours there; `sources`, by (place, source), those
    that a source shows for a place, after its filters. `rejected` says, by digest, why a change
    stands back; `approved` are digests; `pending` says, by host, which commit took it away.
    """

    now: float
    sweep_seconds: float = 300
    limits: GuardLimits = field(default_factory=GuardLimits)
    writers: Mapping[str, str] = field(default_factory=dict)
    contested: Mapping[tuple[str, str], Verdict] = field(default_factory=dict)
    refusals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    missing_since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    pending: Mapping[str, str] = field(default_factory=dict)


def judge(changes: Iterable[Change], facts: Facts) -> tuple[Change, ...]:
    """Return the changes, each with the guard's verdict."""
    first = [change.judged(_alone(change, facts)) for change in changes]
    counted: dict[str, list[str]] = {}
    for change in first:
        if _counts(change, facts):
            counted.setdefault(change.place, []).append(change.key)
    limited = {place: _limited(place, sorted(keys), facts) for place, keys in counted.items()}
    return tuple(c.judged(limited[c.place]) if c.verdict is COUNTED else c for c in first)


COUNTED = Verdict("apply", 11)  # a delete that only its number can still stop
DECIDED = (5, 6)  # rows of what people decided


def _alone(change: Change, facts: Facts) -> Verdict:
    """Return the verdict on a change for what it is, before deletes are counted."""
    if impossible := _impossible(change, facts):
        return impossible
    if decided := _decided(change, facts):
        return decided
    if change.action == "Delete":
        return _delete(change, facts)
    if change.moved:
        return Verdict("apply", 7, (f"gateway {change.gateway} has moved",))
    return Verdict(
        "apply", 13, (f"{change.action.lower()}d by {change.source or 'configuration'}",)
    )


def _impossible(change: Change, facts: Facts) -> Verdict | None:
    """Return the verdict of the rows that stand above every decision."""
    if change.obstacle:
        return Verdict("skip", 1, (change.obstacle,))
    if other := _other_writer(change, facts):
        return other
    if reasons := facts.refusals.get(change.gateway):
        return Verdict("refuse", 3, reasons)
    if change.action == "Delete" and (unread := _unread(change, facts)):
        why = f"{unread} was not read completely: {facts.partial[unread]}"
        return Verdict("refuse", 4, (why,))
    return None


def _decided(change: Change, facts: Facts) -> Verdict | None:
    if not (facts.rejected or facts.approved):
        return None  # a digest costs more than all the other rows
    if why := facts.rejected.get(change.digest):
        return Verdict("hold", 5, (why,))
    return Verdict("apply", 6, ("approved",)) if change.digest in facts.approved else None


def _other_writer(change: Change, facts: Facts) -> Verdict | None:
    if writer := facts.writers.get(change.place):
        return Verdict("hold", 2, (f"{writer} is at work on {change.place}",))
    place, contested = change.place, facts.contested
    return contested.get((place, "")) or contested.get((place, change.key))


def _delete(change: Change, facts: Facts) -> Verdict:
    if not any(facts.sources.get((change.place, source)) for source in _sources(change, facts)):
        why = f"{change.source or 'every source'} shrank to nothing for {change.place}"
        return Verdict("hold", 8, (why,))
    if commit := facts.pending.get(change.key):
        return Verdict("apply", 9, (f"{commit} took it away",))
    since = facts.missing_since.get((change.place, change.key))
    if since is None or facts.now - since < facts.sweep_seconds:
        return Verdict("wait", 10, ("missing in one complete read; a second one decides",))
    return COUNTED


def _counts(change: Change, facts: Facts) -> bool:
    """Say whether a delete counts for the limit: decided ones do, lest the rest find room."""
    verdict = change.verdict
    if verdict and verdict.row in DECIDED and change.action == "Delete":
        verdict = _delete(change, facts)
    return verdict is COUNTED


def _unread(change: Change, facts: Facts) -> str:
    """Return a source that was not read whole and may ask for the name, or "".

    Not only the one that the mark names: since it was written, an Ingress may have become a route.
    """
    if change.source in facts.partial:
        return change.source
    cluster, slash, _ = change.place.partition("/")
    return next((s for s in facts.partial if s.startswith(f"{cluster}/" if slash else "")), "")


def _sources(change: Change, facts: Facts) -> list[str]:
    """Return the sources that a delete rests on."""
    if change.source:
        return [change.source]
    # A hosts file, or a mark of old, names no object: then each source may have been the one.
    return sorted(source for place, source in facts.sources if place == change.place)


def _limited(place: str, keys: Sequence[str], facts: Facts) -> Verdict:
    """Return the verdict on a place's deletes that only their number can still stop."""
    ours = facts.names.get(place, 0)
    share = int(round(facts.limits.delete_share * ours, 6))  # 29 % of 100 are 29, not 28.999...
    limit = max(facts.limits.deletes, share)
    why = f"{len(keys)} of {ours} names of {place} would go ({listed(keys)}); the limit is {limit}"
    return Verdict("hold", 12, (why,)) if len(keys) > limit else Verdict("apply", 11, (why,))


def listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
