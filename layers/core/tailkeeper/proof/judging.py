"""The proof, judged: what the change was meant to mend, and what it must not have broken.

A finding is a JSON document: {host, view, path, state, hop, detail, ms}. It is the same finding
before and after when host, view and path are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tailkeeper.guard import listed
from tailkeeper.resolver.surface import DOCUMENT
from tailkeeper.resolver.workloads import is_workload


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tailkeeper.model import Change

Key = tuple[str, str, str]
FINE = frozenset({"healthy", "degraded"})
BEYOND_US = frozenset({"tls", "http"})  # hops that no answer of ours can mend
SHOWN = 20
LOOKS = 4  # tailscaled takes some seconds to join in a fresh Lambda


@dataclass(frozen=True, slots=True)
class Proof:
    """What the findings say of a change: `word` is proven, again, worse or unproven."""

    word: Literal["proven", "again", "worse", "unproven"]
    states: Mapping[str, int]
    failing: tuple[Mapping[str, Any], ...] = ()
    worse: tuple[Mapping[str, Any], ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the proof as the journal holds it; lists are cut to twenty."""
        return {
            "word": self.word,
            "states": dict(self.states),
            "failing": list(self.failing[:SHOWN]),
            "worse": list(self.worse[:SHOWN]),
            "views": dict(self.views),
        }


def judge_proof(
    baseline: Iterable[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
    touched: Collection[str],
    *,
    last: bool,
    attempt: int = 1,
    now: str,
    proven_before: Mapping[str, str] | None = None,
) -> Proof:
    """Judge findings against those from before the change.

    `touched` are the hosts of the change; `last` says that there is no time left to wait. What
    could not be looked at is looked at a few times more, by `attempt`. A
    failure that stood before is not the change's fault; being blind is neither down nor healthy.
    `proven_before` holds since when each view answers as planned; `now` is added for new ones.
    """
    before = {key_of(finding): finding for finding in baseline}
    after = list(findings)
    failing = [f for f in after if f["state"] not in FINE]
    worse = [f for f in failing if _regressed(before.get(key_of(f)), f)]
    waiting = [f for f in failing if _may_mend(before.get(key_of(f)), f, touched)] or worse
    patient = not last and any(f["state"] != "blind" or attempt < LOOKS for f in waiting)
    views = {**(proven_before or {})}
    wrong = [*waiting, *(f for f in failing if f["host"] in touched)]
    for view in {f["view"] for f in after} - {f["view"] for f in wrong}:
        views.setdefault(view, now)
    if patient:
        word: Literal["proven", "again", "worse", "unproven"] = "again"
    elif worse:
        word = "worse"
    else:
        word = "unproven" if waiting else "proven"
    states = Counter(finding["state"] for finding in after)
    return Proof(word, states, tuple(failing), tuple(worse), views)


def worse_than_before(proof: Mapping[str, Any] | None, *, undone: bool) -> list[str]:
    """Return why a change was taken back, in a sentence that names the first of what it broke."""
    worse = (proof or {}).get("worse", ())
    said = [f"{f['host']} is {f['state']} at {f['hop']} ({f['view']} view)" for f in worse]
    names = listed(list(dict.fromkeys(said)))
    return [f"worse than before{names and f': {names}'}"] if undone else []


def key_of(finding: Mapping[str, Any]) -> Key:
    """Return what makes two findings the same one."""
    return finding["host"], finding["view"], finding["path"]


def _regressed(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    return before is not None and before["state"] in FINE and after["state"] == "down"


def _may_mend(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], touched: Collection[str]
) -> bool:
    """Say whether waiting can mend a failing finding of this change."""
    if after["host"] not in touched:
        return False
    stood = before is not None and (before["state"], before["hop"]) == (
        after["state"],
        after["hop"],
    )
    return not (stood and after["hop"] in BEYOND_US)


def undoing(
    entries: Iterable[Change],
    hosts: Collection[str],
    domains: Collection[str],
    documents: Collection[str] = (),
) -> list[Change]:
    """Return what takes a change back for the hosts it made worse, and for their domains.

    `documents` are the places of resolver documents to give back whole, with their writers. Several
    rounds may have changed one key: it goes back to what it was before the first.
    """
    net: dict[tuple[str, str, str], Change] = {}
    for change in entries:
        key = change.surface, change.place, change.key
        first = net.get(key, change)
        net[key] = first.followed_by(change)
    return [
        change.inverse
        for change in net.values()
        if change.before != change.after
        and (
            change.key in hosts
            or (change.surface == "split-dns" and change.key in domains)
            or (change.place in documents and (change.key == DOCUMENT or is_workload(change.key)))
        )
    ]
