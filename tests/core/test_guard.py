"""The guard: every row, their order, and what no combination of facts may ever let through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import GuardLimits
from tailkeeper.guard import Facts, judge
from tailkeeper.model import Change


if TYPE_CHECKING:
    from tailkeeper.model import Verdict

ZONE, SOURCE, GATEWAY = "example.com", "httproute", "homelab/tailscale/gw"
NOW = 10_000.0
SWEEP = 300.0


def change(key: str = "a", *, delete: bool = False, **parts: Any) -> Change:
    """Return a change of a record: an update, or a delete."""
    after = None if delete else {"records": ["new"]}
    return replace(Change("records", key, {"records": ["old"]}, after, ZONE), **parts)


@dataclass
class Case:
    """A change and the facts around it, in which nothing is wrong; situations are added."""

    change: Change
    facts: dict[str, Any] = field(
        default_factory=lambda: {
            "now": NOW,
            "missing_since": {(ZONE, "a"): NOW - SWEEP},
            "names": {ZONE: 10},
            "sources": {(ZONE, SOURCE): 9},
        }
    )
    decided: set[str] = field(default_factory=set)

    def verdict(self) -> Verdict:
        """Return the guard's word on the change."""
        digest = self.change.digest
        rejected = {digest: "rejected by ada"} if "rejected" in self.decided else {}
        approved = frozenset({digest} if "approved" in self.decided else ())
        facts = {"rejected": rejected, "approved": approved, **self.facts}
        (judged,) = judge([self.change], Facts(**facts))
        assert judged.verdict
        return judged.verdict


def obstacle(case: Case) -> None:
    """Let a record of somebody else be in the way."""
    case.change = replace(case.change, obstacle="a has an A record that is not ours")


def writer(case: Case) -> None:
    """Let another writer be at work on the zone."""
    case.facts["writers"] = {ZONE: "ExternalDNS dns/external-dns"}


def refused(case: Case) -> None:
    """Let the gateway's device be no good."""
    case.change = replace(case.change, gateway=GATEWAY)
    case.facts["refusals"] = {GATEWAY: ("the device is offline",)}


def partial(case: Case) -> None:
    """Let the source be read in part."""
    case.facts["partial"] = {SOURCE: "timed out"}


def rejected(case: Case) -> None:
    """Let a person have rejected the change, whatever it is."""
    case.decided.add("rejected")


def approved(case: Case) -> None:
    """Let a person have approved the change, whatever it is."""
    case.decided.add("approved")


def moved(case: Case) -> None:
    """Let the gateway have moved."""
    case.change = replace(case.change, gateway=case.change.gateway or GATEWAY, moved=True)


def emptied(case: Case) -> None:
    """Let the source show nothing any more."""
    case.facts["sources"] = {}


def explained(case: Case) -> None:
    """Let a commit have taken the name away."""
    case.facts["pending"] = {"a": "commit 1f2e3d4 of me/homelab"}


def fresh(case: Case) -> None:
    """Let the name be missing since just now."""
    case.facts["missing_since"] = {(ZONE, "a"): NOW - SWEEP + 1}


def crowded(case: Case) -> None:
    """Let not even one delete be within the limit."""
    case.facts["limits"] = GuardLimits(deletes=0, delete_share=0.0)


ALWAYS = {1: obstacle, 2: writer, 3: refused, 5: rejected, 6: approved}
UPDATES = {**ALWAYS, 7: moved}
DELETES = {**ALWAYS, 4: partial, 8: emptied, 9: explained, 10: fresh, 12: crowded}
WORDS = {
    1: "skip",
    2: "hold",
    3: "refuse",
    4: "refuse",
    5: "hold",
    6: "apply",
    7: "apply",
    8: "hold",
    9: "apply",
    10: "wait",
    11: "apply",
    12: "hold",
    13: "apply",
}


@given(st.sets(st.sampled_from(sorted(UPDATES))))
def test_the_first_row_that_matches_an_update_wins(rows: set[int]) -> None:
    """Whatever else is the case too; row 13 takes what is left."""
    case = Case(change(source=SOURCE))
    for row in rows:
        UPDATES[row](case)

    verdict = case.verdict()

    expected = min(rows, default=13)
    assert (verdict.row, verdict.word) == (expected, WORDS[expected])
    assert verdict.reasons


@given(st.sets(st.sampled_from(sorted(DELETES))))
def test_the_first_row_that_matches_a_delete_wins(rows: set[int]) -> None:
    """Row 11 takes a delete that nothing speaks against."""
    case = Case(change(delete=True, source=SOURCE))
    for row in rows:
        DELETES[row](case)

    verdict = case.verdict()

    expected = min(rows, default=11)
    assert (verdict.row, verdict.word) == (expected, WORDS[expected])
    assert verdict.reasons


@pytest.mark.parametrize(
    ("situation", "delete", "reason"),
    [
        (obstacle, False, "not ours"),
        (writer, False, "ExternalDNS dns/external-dns is at work on example.com"),
        (refused, False, "the device is offline"),
        (partial, True, "httproute was not read completely: timed out"),
        (rejected, False, "rejected by ada"),
        (approved, True, "approved"),
        (explained, True, "commit 1f2e3d4 of me/homelab took it away"),
        (moved, False, "homelab/tailscale/gw has moved"),
        (emptied, True, "httproute shrank to nothing"),
        (fresh, True, "a second one decides"),
        (crowded, True, "1 of 10 names of example.com would go (a); the limit is 0"),
    ],
)
def test_a_verdict_says_why(situation: Any, reason: str, *, delete: bool) -> None:
    """In a sentence that names what a person would look for."""
    case = Case(change(delete=delete, source=SOURCE))
    situation(case)

    assert reason in case.verdict().reasons[0]


@pytest.mark.parametrize(
    ("since", "word"),
    [(None, "wait"), (-9e9, "wait"), (0, "wait"), (299.9, "wait"), (300, "apply"), (9e9, "apply")],
)
def test_a_sweep_lies_between_the_two_reads(since: float | None, word: str) -> None:
    """By the clock: an Express sweep may run twice at once."""
    case = Case(change(delete=True, source=SOURCE))
    case.facts["missing_since"] = {} if since is None else {(ZONE, "a"): NOW - since}

    assert case.verdict().word == word


@pytest.mark.parametrize(
    ("ours", "deletes", "limits", "word"),
    [
        (1, 1, {}, "apply"),
        (3, 2, {}, "hold"),
        (10, 3, {}, "apply"),
        (10, 4, {}, "hold"),
        (1000, 300, {}, "apply"),
        (1000, 301, {}, "hold"),
        (10, 5, {"deletes": 5}, "apply"),
        (10, 1, {"deletes": 0, "delete_share": 0.0}, "hold"),
        (10, 10, {"delete_share": 1.0}, "apply"),
        (100, 29, {"delete_share": 0.29}, "apply"),
    ],
)
def test_the_limit_is_the_larger_of_a_number_and_a_share(
    ours: int, deletes: int, limits: dict[str, Any], word: str
) -> None:
    """Over it, all of them are held: half a deletion is nobody's wish."""
    changes = [change(f"n{i}", delete=True, source=SOURCE) for i in range(deletes)]
    facts = Facts(
        now=NOW,
        limits=GuardLimits(**limits),
        missing_since={(ZONE, c.key): 0 for c in changes},
        names={ZONE: ours},
        sources={(ZONE, SOURCE): ours},
    )

    assert {c.verdict.word for c in judge(changes, facts) if c.verdict} == {word}


@pytest.mark.parametrize(
    ("gone", "told"),
    [(1, "(n0)"), (3, "(n0, n1, n2)"), (4, "(n0, n1, n2 and 1 more)"), (9, "and 6 more)")],
)
def test_the_limit_names_whom_it_is_about(gone: int, told: str) -> None:
    """The first few in their order, and how many more there are."""
    changes = [change(f"n{i}", delete=True, source=SOURCE) for i in reversed(range(gone))]
    missing = {(ZONE, c.key): 0.0 for c in changes}
    facts = Facts(NOW, missing_since=missing, names={ZONE: 9}, sources={(ZONE, SOURCE): 9})

    reasons = {c.verdict.reasons for c in judge(changes, facts) if c.verdict}

    ((reason,),) = reasons
    assert told in reason


@pytest.mark.parametrize("decided", ["approved", "rejected"])
def test_who_decides_on_some_has_not_decided_on_the_rest(decided: str) -> None:
    """Four of ten are held: to approve one, or reject one, lets none of the other three go."""
    changes = [change(f"n{i}", delete=True, source=SOURCE) for i in range(4)]
    facts = Facts(
        NOW,
        missing_since={(ZONE, c.key): 0.0 for c in changes},
        names={ZONE: 10},
        sources={(ZONE, SOURCE): 6},
        **{decided: {changes[0].digest: "by ada"}},  # type: ignore[arg-type]  # keys are a set, too
    )

    judged = judge(changes, facts)

    assert [c.verdict.word for c in judged[1:] if c.verdict] == ["hold"] * 3


def test_what_a_commit_wants_is_not_counted() -> None:
    """The limit is for what nothing has explained."""
    changes = [change(f"n{i}", delete=True, source=SOURCE) for i in range(6)]
    facts = Facts(
        NOW,
        missing_since={(ZONE, c.key): 0.0 for c in changes},
        names={ZONE: 10},
        sources={(ZONE, SOURCE): 1},
        pending={c.key: "commit 1f2e3d4" for c in changes[:3]},
    )

    judged = judge(changes, facts)

    assert [c.verdict.row for c in judged if c.verdict] == [9] * 3 + [11] * 3


def test_each_place_has_its_own_limit_and_only_ripe_deletes_count() -> None:
    """A resolver's deletes do not hold a zone's, nor do those that wait."""
    ripe = [change(f"n{i}", delete=True, source=SOURCE) for i in range(3)]
    young = [change(f"y{i}", delete=True, source=SOURCE) for i in range(3)]
    other = [replace(c, place="homelab/dns/hosts") for c in ripe[:2]]
    facts = Facts(
        now=NOW,
        missing_since={(c.place, c.key): 0 for c in ripe + other},
        names={ZONE: 10, "homelab/dns/hosts": 3},
        sources={(ZONE, SOURCE): 7, ("homelab/dns/hosts", SOURCE): 1},
    )

    judged = judge([*ripe, *young, *other], facts)

    assert [c.verdict.row for c in judged if c.verdict] == [11] * 3 + [10] * 3 + [12] * 2


@pytest.mark.parametrize(
    ("facts", "row"),
    [
        ({"partial": {"httproute": "timed out"}, "sources": {(ZONE, "httproute"): 5}}, 4),
        ({"partial": {}, "sources": {("example.org", "httproute"): 5}}, 8),
        ({"partial": {}, "sources": {(ZONE, "httproute"): 5}}, 11),
    ],
)
def test_a_delete_of_unknown_source_stands_for_every_source(
    facts: dict[str, Any], row: int
) -> None:
    """An old mark names no object: then any partial read may be the one that misses it."""
    case = Case(change(delete=True))
    case.facts |= facts

    assert case.verdict().row == row


KEYS = st.sampled_from(["a", "b", "c"])
SOURCES = st.sampled_from(["", "httproute", "homelab/httproute", "ingress"])
CHANGES = st.lists(
    st.builds(
        lambda key, delete, **parts: change(key, delete=delete, **parts),
        KEYS,
        st.booleans(),
        source=SOURCES,
        gateway=st.sampled_from(["", GATEWAY]),
        moved=st.booleans(),
        obstacle=st.sampled_from(["", "protected"]),
    ),
    max_size=6,
    unique_by=lambda c: c.key,
)
FACTS = st.fixed_dictionaries(
    {
        "now": st.just(NOW),
        "writers": st.dictionaries(st.just(ZONE), st.just("somebody")),
        "refusals": st.dictionaries(st.just(GATEWAY), st.just(("offline",))),
        "partial": st.dictionaries(SOURCES.filter(bool), st.just("timed out")),
        "missing_since": st.dictionaries(
            st.tuples(st.just(ZONE), KEYS), st.sampled_from([0.0, NOW])
        ),
        "names": st.dictionaries(st.just(ZONE), st.integers(0, 20)),
        "pending": st.dictionaries(KEYS, st.just("commit 1f2e3d4")),
        "sources": st.dictionaries(
            st.tuples(st.just(ZONE), SOURCES.filter(bool)), st.integers(1, 9)
        ),
    }
)


DIGESTS = st.frozensets(
    st.sampled_from(
        [change(key, delete=gone).digest for key in ("a", "b", "c") for gone in (True, False)]
    )
)


@given(CHANGES, FACTS, DIGESTS)
def test_an_approval_lets_through_what_it_names_and_nothing_else(
    changes: list[Change], facts: dict[str, Any], digests: frozenset[str]
) -> None:
    """What moved has another digest, rows 1 to 5 stand above, and no other delete finds room."""
    before = [c.verdict for c in judge(changes, Facts(**facts)) if c.verdict]
    after = [c.verdict for c in judge(changes, Facts(**facts, approved=digests)) if c.verdict]

    for one, was, now in zip(changes, before, after, strict=True):
        named = one.digest in digests
        assert (now.row == 6) == (named and was.row > 6)
        assert now.row in {6, was.row}


@given(CHANGES, FACTS, DIGESTS, DIGESTS)
def test_what_was_rejected_is_never_applied(
    changes: list[Change],
    facts: dict[str, Any],
    rejected: frozenset[str],
    approved: frozenset[str],
) -> None:
    """Not even when it was approved as well: to approve lifts the rejection first."""
    standing = dict.fromkeys(rejected, "rejected by ada")
    judged = judge(changes, Facts(**facts, rejected=standing, approved=approved))

    rows = {c.digest: c.verdict.row for c in judged if c.verdict and c.digest in rejected}
    assert all(row <= 5 for row in rows.values())


def applied(changes: list[Change], facts: dict[str, Any]) -> set[Change]:
    """Return what the guard lets through, without its verdicts."""
    judged = judge(changes, Facts(**facts))
    return {
        before
        for before, after in zip(changes, judged, strict=True)
        if after.verdict and after.verdict.word == "apply"
    }


@given(CHANGES, FACTS)
def test_a_delete_from_a_partial_source_is_never_applied(
    changes: list[Change], facts: dict[str, Any]
) -> None:
    """F02: whatever else the facts say, partial is not absent."""
    through = applied([unhashed(c) for c in changes], facts)

    assert not [
        c
        for c in through
        if c.action == "Delete"
        and (c.source in facts["partial"] or (not c.source and facts["partial"]))
    ]


@given(CHANGES, FACTS, FACTS)
def test_more_trouble_never_lets_more_through(
    changes: list[Change], facts: dict[str, Any], trouble: dict[str, Any]
) -> None:
    """Another writer, refusal, or partial read only ever takes changes away."""
    kinds = ("writers", "refusals", "partial")
    worse = facts | {kind: {**facts[kind], **trouble[kind]} for kind in kinds}
    whole = [unhashed(c) for c in changes]

    updates = {c for c in applied(whole, worse) if c.action != "Delete"}
    assert updates <= applied(whole, facts)


@given(CHANGES, FACTS)
def test_every_change_gets_one_verdict_and_stays_what_it_was(
    changes: list[Change], facts: dict[str, Any]
) -> None:
    """The guard judges; it neither drops, nor adds, nor alters."""
    judged = judge(changes, Facts(**facts))

    assert [replace(c, verdict=None) for c in judged] == changes
    assert all(c.verdict for c in judged)


def unhashed(given_: Change) -> Change:
    """Return the change with values that can be in a set."""
    return replace(given_, before=str(given_.before), after=given_.after and str(given_.after))
