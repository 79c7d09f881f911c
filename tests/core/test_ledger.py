"""The ledger: what is ours among what stands, whatever died in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.coexistence.ledger import KEPT_LINES, Line, newest, noted, settled


OLD, NEW = {"addresses": ["100.64.0.1"]}, {"addresses": ["100.64.0.2"]}
THEIRS: dict[str, list[str]] = {"addresses": []}
VALUES = st.sampled_from([None, OLD, NEW, THEIRS])


def line(*, done: bool) -> Line:
    """Return the line of a write from OLD to NEW."""
    made = noted(None, OLD, NEW, "", 100)
    return settled({"k": made}, ["k"])["k"] if done else made


@pytest.mark.parametrize(
    ("standing", "done", "ours"),
    [
        (NEW, True, True),
        (OLD, True, False),
        (THEIRS, True, False),
        (None, True, False),
        (NEW, False, True),
        (OLD, False, True),
        (THEIRS, False, False),
    ],
)
def test_what_is_ours(standing: Any, *, done: bool, ours: bool) -> None:
    """Before a write is known to be done, what was there before it may still be there."""
    assert line(done=done).wrote(standing) == ours


def test_a_write_that_is_tried_again_is_over_nobody() -> None:
    """The first try died: what stands is what it saw, or what it wrote."""
    for standing in (OLD, NEW):
        assert noted(line(done=False), standing, NEW, "argocd", 200).over == ()


def test_each_writer_is_counted_by_himself_and_by_time() -> None:
    """Only those since a moment count, and those of one manager."""
    made = line(done=True)
    for when, who in ((200, "argocd"), (300, "kubectl"), (400, "argocd")):
        made = settled({"k": noted(made, THEIRS, NEW, who, when)}, ["k"])["k"]

    assert [made.times_over("argocd", since) for since in (0, 200, 201, 401)] == [2, 2, 1, 0]
    assert made.times_over("kubectl", 0) == 1


@given(st.lists(st.tuples(VALUES, st.booleans()), max_size=30))
def test_our_own_writes_are_never_over_somebody(writes: list[tuple[Any, bool]]) -> None:
    """However many die before they are noted as done; and a line survives the table."""
    made, standing = None, OLD
    for after, dies in writes:
        made = noted(made, standing, after, "x", 0)
        made = made if dies else settled({"k": made}, ["k"])["k"]
        made = Line.from_json(json.loads(json.dumps(made.as_json())))
        standing = after

    assert made is None or made.over == ()


def test_the_newest_lines_are_kept() -> None:
    """A zone may hold fifty thousand names, an item of the table 400 KB."""
    lines = {str(n): noted(None, None, n, "", float(n)) for n in range(KEPT_LINES + 5)}

    kept = newest(lines)

    assert len(kept) == KEPT_LINES
    assert "4" not in kept
    assert "5" in kept
