"""Decisions: what is news, what stands back, what a plan has outlived."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.decisions.decision import (
    KEPT,
    Decision,
    approvals,
    let_through,
    standing_back,
)
from tailkeeper.decisions.news import asking, over, remembered, unheard, untold
from tailkeeper.model import Cause, Change, Plan, Verdict
from tailkeeper.moments import epoch, rfc3339


NOW = epoch("2026-11-21T23:00:00Z")
SURFACES = ("records", "resolver", "split-dns")


def change(key: str = "a", word: Any = "hold", reason: str = "why", row: int = 12) -> Change:
    """Return a judged delete."""
    before = {"records": [{"type": "CNAME", "content": "gw.tail.ts.net"}], "resource": ""}
    return Change("records", key, before, None, "example.com").judged(Verdict(word, row, (reason,)))


def noted(plan: Plan | None, known: Any = (), change_id: str = "one") -> dict[str, Decision]:
    """Return the decisions after a run with this plan has ended."""
    before = {one.digest: one for one in known}
    return before | {one.digest: one for one in remembered(plan, before, change_id, NOW)}


def told(known: dict[str, Decision]) -> list[Decision]:
    """Return the decisions after Tell People."""
    return [one.as_told() for one in known.values()]


@given(
    st.lists(
        st.tuples(st.sampled_from(["hold", "refuse"]), st.sampled_from(["x", "y", "z"])), max_size=9
    )
)
def test_a_hold_is_told_once_for_each_of_its_reasons(seen: list[tuple[str, str]]) -> None:
    """Even one whose reasons come and go, as a reader's failures do."""
    known: list[Decision] = []
    messages = []
    for word, reason in seen:
        plan = Plan.of([change("a", word, reason)])
        after = noted(plan, known)
        messages += [one.reasons for one in after.values() if one.word == "held" and one.news]
        known = [one.as_told() if one.news else one for one in after.values()]
        assert untold(plan, {one.digest: one for one in known}) == 0

    assert len(messages) == len(set(messages))
    told_first = {
        reason
        for n, (word, reason) in enumerate(seen)
        if word == "hold" and ("refuse", reason) not in seen[:n]
    }
    assert {reason for (reason,) in messages} == told_first


def test_what_is_known_keeps_its_change_and_since_when() -> None:
    """The id in the message that people got goes on to work."""
    known = told(noted(Plan.of([change()])))

    again = list(remembered(Plan.of([change()]), {known[0].digest: known[0]}, "two", NOW + 60))
    other = noted(Plan.of([change(reason="another")]), known, "two")

    assert again == []
    assert [(one.change_id, one.since) for one in other.values()] == [("two", rfc3339(NOW))]


def test_a_run_that_notes_twice_notes_the_same() -> None:
    """Close Change may be tried again; what is still to be told stays so."""
    plan = Plan.of([change("a"), change("b", "refuse")])
    once = noted(plan)

    assert noted(plan, once.values()) == once


@pytest.mark.parametrize("word", ["rejected", "undone"])
def test_what_was_rejected_or_undone_stands_back(word: Any) -> None:
    """With a sentence that says who did it, and what lifts it."""
    one = Decision.on(change(), word, "one", NOW).decided(word, "ada", rfc3339(NOW), 0)

    (why,) = standing_back({one.digest: one}).values()

    assert why == f"{word} by ada on 2026-11-21; `tailkeeper approve one` lets it through"
    assert asking(Plan.of([change(row=5)])) == ()


@pytest.mark.parametrize("word", ["rejected", "undone"])
@pytest.mark.parametrize(("stop", "row"), [("hold", 2), ("refuse", 3), ("refuse", 4)])
def test_what_people_put_back_outlives_another_stop(word: Any, stop: Any, row: int) -> None:
    """A device is offline for a minute: the change that was rejected is not applied after it."""
    back = Decision.on(change(), word, "one", NOW)
    plan, known = Plan.of([change("a", stop, row=row)]), {back.digest: back}

    assert list(remembered(plan, known, "two", NOW)) == []
    assert untold(plan, known) == 0


def test_an_approval_that_another_row_stops_is_told_anew() -> None:
    """A person approved it, and another writer came: they learn that it did not happen."""
    approved = Decision.on(change(), "approved", "one", NOW)

    (after,) = noted(Plan.of([change(row=2)]), [approved], "two").values()

    assert (after.word, after.change_id, after.news) == ("held", "two", True)


@pytest.mark.parametrize(
    ("word", "planned", "stays"),
    [
        ("held", "hold", True),
        ("held", "refuse", True),
        ("held", "apply", False),
        ("held", None, False),
        ("refused", None, False),
        ("approved", "apply", True),
        ("approved", "hold", True),
        ("approved", "wait", False),
        ("approved", None, False),
        ("rejected", None, True),
        ("undone", None, True),
    ],
)
def test_a_plan_outlives_decisions(word: Any, planned: Any, *, stays: bool) -> None:
    """The same hold a month later is news; an approval is good for the change that was shown."""
    one = Decision.on(change(), word, "one", NOW)
    plan = Plan.of([change("a", planned)]) if planned else None

    assert over(plan, {one.digest: one}, SURFACES) == ([] if stays else [one])


def test_what_was_not_read_outlives_nothing() -> None:
    """A plan of other surfaces, or of one that could not be read, proves nothing."""
    one = Decision.on(change(), "held", "one", NOW)

    assert over(None, {one.digest: one}, ("resolver",)) == []


def test_an_approval_by_hand_names_what_nobody_was_asked() -> None:
    """It lets the digest through for as long, and is over once no plan has it."""
    cause = Cause("approval", "one", rfc3339(NOW), "ada")
    (one,) = approvals(["d1"], {}, cause, int(NOW) + 60)

    assert let_through({"d1": one}) == {"d1"}
    assert over(None, {"d1": one}, ("resolver",)) == [one]


@pytest.mark.parametrize(
    ("word", "row", "decidable"),
    [
        ("held", 12, True),
        ("held", 8, True),
        ("held", 2, False),
        ("refused", 3, False),
        ("rejected", 5, True),
        ("undone", 5, True),
        ("approved", 6, False),
    ],
)
def test_what_can_be_approved(word: Any, row: int, *, decidable: bool) -> None:
    """Nobody approves another writer away."""
    assert replace(Decision.on(change(), word, "one", NOW), row=row).decidable is decidable


def test_an_approval_writes_over_a_writer_once_more() -> None:
    """What the hold of a second revert promises; the plan carries it through its JSON."""
    held = change(row=2).judged(Verdict("hold", 2, ("brought it back twice",), contested=True))

    one = Decision.on(Change.from_json(held.as_json()), "held", "one", NOW)

    assert one.decidable
    assert Decision.from_item(one.as_item()) == one


def test_what_was_undone_is_told_by_a_later_run_if_its_own_died() -> None:
    """Then by that one's message and id; what people know, or ordered, is never told again."""
    undone = Decision.on(change(), "undone", "dead", NOW)
    plan = Plan.of([change(row=5)])

    (told_now,) = remembered(plan, {undone.digest: undone}, "two", NOW)

    assert (told_now.word, told_now.change_id, told_now.news) == ("undone", "two", True)
    assert untold(plan, {undone.digest: undone}) == 1
    assert unheard(plan, {undone.digest: undone.as_told()}) == []
    assert unheard(None, {undone.digest: undone}) == []


@given(st.text(max_size=400), st.lists(st.text(max_size=5), max_size=3))
def test_an_item_is_read_back_as_it_was(text: str, reasons: list[str]) -> None:
    """Whatever names and reasons hold; texts for people are cut."""
    made = change(text).judged(Verdict("hold", 8, tuple(reasons)))
    one = Decision.on(made, "held", "one", NOW).as_told()

    assert Decision.from_item(one.as_item()) == one
    assert one.expires == int(NOW) + KEPT
    assert len(one.before) <= 300
