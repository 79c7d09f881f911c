"""What is left to write of a plan, by the world as it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.applying import sort_out, to_apply
from tailkeeper.model import Change, Plan, Verdict


A, B, C = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2, 3))


def change(key: str, before: Any, after: Any, place: str = "p", word: Any = "apply") -> Change:
    """Return a judged change of a host."""
    return Change("resolver", key, before, after, place).judged(Verdict(word, 13))


@pytest.mark.parametrize(
    ("before", "after", "now", "pile"),
    [
        (A, B, A, "todo"),
        (A, B, B, "done"),
        (A, B, C, "conflicts"),
        (A, B, None, "conflicts"),
        (None, B, None, "todo"),
        (None, B, C, "conflicts"),
        (A, None, None, "done"),
        (A, None, C, "conflicts"),
    ],
)
def test_only_what_the_plan_saw_is_overwritten(
    before: Any, after: Any, now: Any, pile: str
) -> None:
    """In place already: done. Neither before nor after: somebody else's by now."""
    found = sort_out([change("a", before, after)], lambda _: now)

    piles = {"done": found.done, "todo": found.todo, "conflicts": found.conflicts}
    assert [name for name, changes in piles.items() if changes] == [pile]


def test_a_surface_gets_what_the_guard_lets_through_place_by_place() -> None:
    """Held ones, and those of other surfaces, are not in it."""
    plan = Plan.of(
        [
            change("a", A, B, "one"),
            change("b", A, B, "two"),
            change("c", A, B, "one", word="hold"),
            Change("split-dns", "example.com", None, A, "tailnet").judged(Verdict("apply", 13)),
        ]
    )

    places = to_apply(plan, "resolver")

    assert {p: [c.key for c in changes] for p, changes in places.items()} == {
        "one": ["a"],
        "two": ["b"],
    }
    assert to_apply(None, "resolver") == {}
