"""Counts and outcomes, in the words that people and scripts rely on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.model import Change, Plan, Verdict
from tailkeeper.summary import OUTCOMES, counts_of, outcome_of


ACTIONS: dict[str, tuple[Any, Any]] = {"create": (None, 1), "update": (1, 2), "delete": (1, None)}
NOTHING = dict.fromkeys(("create", "update", "delete", "skipped", "waiting", "held", "refused"), 0)


def change(key: str, action: str, word: Any) -> Change:
    """Return a judged change."""
    return Change("records", key, *ACTIONS[action], verdict=Verdict(word, 13))


@pytest.mark.parametrize(
    ("action", "word", "counted"),
    [
        ("create", "apply", "create"),
        ("update", "apply", "update"),
        ("delete", "apply", "delete"),
        ("create", "skip", "skipped"),
        ("delete", "wait", "waiting"),
        ("delete", "hold", "held"),
        ("update", "refuse", "refused"),
    ],
)
def test_a_change_is_counted_once(action: str, word: str, counted: str) -> None:
    """By its action where it is applied, else by the guard's word."""
    plan = Plan.of([change("a", action, word), change("b", action, word)])

    assert counts_of(plan) == {**NOTHING, counted: 2}


def test_no_plan_has_no_counts() -> None:
    """Each count is there, and is nought."""
    assert counts_of(None) == NOTHING


@given(
    some=st.dictionaries(st.sampled_from(sorted(NOTHING)), st.integers(1, 3)),
    failed=st.booleans(),
    undone=st.booleans(),
    adopted=st.booleans(),
)
def test_the_first_outcome_that_is_true_is_told(
    some: dict[str, int], *, failed: bool, undone: bool, adopted: bool
) -> None:
    """Failed, undone, applied, held, refused, in sync; skipped and waiting are no outcome."""
    written = adopted or bool({"create", "update", "delete"} & some.keys())
    true = {
        "failed": failed,
        "undone": undone,
        "applied": written,
        "held": "held" in some,
        "refused": "refused" in some,
        "in_sync": True,
    }

    outcome = outcome_of(NOTHING | some, failed=failed, undone=undone, adopted=adopted)

    assert outcome == next(word for word in OUTCOMES if true[word])
