"""The nouns: they come back from JSON as they were, and a digest says what a change is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.model import Cause, Change, Plan, Verdict


VALUES = st.none() | st.fixed_dictionaries({"addresses": st.lists(st.text(max_size=5), max_size=2)})
TEXTS = st.text(max_size=5)
CAUSES = st.builds(Cause, st.sampled_from(["tailscale", "person"]), TEXTS, TEXTS, TEXTS, TEXTS)
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(["apply", "hold"]),
    st.integers(1, 13),
    st.lists(TEXTS, max_size=2).map(tuple),
)
CHANGES = st.builds(
    Change,
    st.sampled_from(["records", "resolver", "split-dns"]),
    TEXTS,
    VALUES,
    VALUES,
    place=TEXTS,
    gateway=TEXTS,
    moved=st.booleans(),
    source=TEXTS,
    obstacle=TEXTS,
    verdict=st.none() | VERDICTS,
    causes=st.lists(CAUSES, max_size=2).map(tuple),
)


@given(CHANGES)
def test_a_change_comes_back_from_json_as_it_was(change: Change) -> None:
    """Through states, bucket and journal."""
    assert Change.from_json(json.loads(json.dumps(change.as_json()))) == change


@given(CHANGES, st.lists(CAUSES, max_size=2), VERDICTS)
def test_a_digest_says_what_is_changed_and_nothing_else(
    change: Change, causes: list[Cause], verdict: Verdict
) -> None:
    """Who asked for it, and what the guard thinks, make it no other change."""
    other = replace(change, causes=tuple(causes), moved=not change.moved).judged(verdict)

    assert other.digest == change.digest


@pytest.mark.parametrize(
    "part",
    [
        {"surface": "records"},
        {"place": "elsewhere"},
        {"key": "b"},
        {"before": {"addresses": ["100.64.0.9"]}},
        {"after": None},
    ],
)
def test_whatever_moves_makes_another_digest(part: dict[str, Any]) -> None:
    """So an approval lets through exactly what a person saw."""
    change = Change("resolver", "a", None, {"addresses": ["100.64.0.1"]}, "place")

    assert replace(change, **part).digest != change.digest


def test_a_digest_is_trusted_from_nobody() -> None:
    """Read from JSON, it is computed again."""
    change = Change("resolver", "a", None, {"addresses": []}, "place")

    read = Change.from_json({**change.as_json(), "digest": "forged", "action": "Delete"})

    assert (read.digest, read.action) == (change.digest, "Create")


@given(CHANGES)
def test_the_inverse_of_the_inverse_is_the_change(change: Change) -> None:
    """Undo undone; the verdict is not inherited."""
    assert change.inverse.inverse == replace(change, verdict=None)
    assert (change.inverse.before, change.inverse.after) == (change.after, change.before)


@given(st.lists(CHANGES, max_size=5))
def test_a_plan_does_not_depend_on_the_order_of_finding(changes: list[Change]) -> None:
    """The same world gives the same plan, byte for byte; nothing to do is None."""
    one, other = Plan.of(changes), Plan.of(reversed(changes))

    keys = [
        [(c.surface, c.place, c.key, c.action) for c in p.changes] if p else []
        for p in (one, other)
    ]
    assert keys[0] == keys[1]
    assert (one is None) == (not changes)
    if one:
        assert Plan.from_json(one.as_json()) == one


def test_a_cause_of_an_older_sender_lacks_nothing() -> None:
    """Missing parts are empty texts."""
    assert Cause.from_json({"kind": "git", "id": 7}) == Cause("git", "7", "", "", "")
