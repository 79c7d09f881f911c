"""Packing edits into batches: for any edits and any limit."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.records.batches import KINDS, Batch, Edit, packed, sorted_out


@st.composite
def edits(draw: st.DrawFn) -> list[Edit]:
    """Draw edits of one to twelve operations."""
    sizes = draw(st.lists(st.tuples(*[st.integers(0, 4)] * 3).filter(any), max_size=30))
    return [
        Edit(f"h{n}", *(tuple({"id": f"{n}{kind}{i}"} for i in range(size))
                        for kind, size in zip(KINDS, counts, strict=True)))
        for n, counts in enumerate(sizes)
    ]  # fmt: skip


@given(edits(), st.integers(1, 40))
def test_no_name_is_split_and_nothing_is_lost(given_edits: list[Edit], limit: int) -> None:
    """Batches hold every edit once, whole and in order, within the limit if the edit itself is."""
    batches = packed(given_edits, limit)
    assert [edit for batch in batches for edit in batch.edits] == given_edits
    for batch in batches:
        size = sum(map(len, batch.body.values()))
        assert size == sum(edit.size for edit in batch.edits)
        assert size <= limit or len(batch.edits) == 1


@given(edits(), st.integers(1, 40))
def test_no_batch_could_have_taken_the_next_edit(given_edits: list[Edit], limit: int) -> None:
    """A batch is closed only when the next edit does not fit."""
    batches = packed(given_edits, limit)
    for batch, following in itertools.pairwise(batches):
        assert sum(e.size for e in batch.edits) + following.edits[0].size > limit


@given(edits().filter(bool))
def test_every_operation_leads_back_to_its_edit(given_edits: list[Edit]) -> None:
    """Cloudflare's pointer `/posts/3` names the edit that posted it; a foreign one names none."""
    batch = Batch(tuple(given_edits))
    for kind, operations in batch.body.items():
        for index, operation in enumerate(operations):
            edit = batch.edit_at(kind, index)
            assert edit
            assert operation in getattr(edit, kind)
        assert batch.edit_at(kind, len(operations)) is None
    assert batch.edit_at("puts", 0) is batch.edit_at("halves", 0) is None


@given(edits().filter(bool))
def test_halves_end_at_single_edits(given_edits: list[Edit]) -> None:
    """Bisecting reaches every edit, whatever the API conceals."""
    found: list[Edit] = []
    pending = [Batch(tuple(given_edits))]
    while pending:
        batch = pending.pop()
        pending.extend(batch.halves)
        found.extend(() if batch.halves else batch.edits)
    assert sorted(found, key=lambda e: e.key) == sorted(given_edits, key=lambda e: e.key)
    assert Batch((given_edits[0],)).without(given_edits[0]) is None


@given(bad=st.sets(st.integers(0, 99), max_size=6), named=st.booleans())
def test_poison_is_found_without_a_request_for_each_edit(bad: set[int], *, named: bool) -> None:
    """Some of a hundred cost a request each where they are named, else a search by halves."""
    edits_ = tuple(Edit(f"h{n}", posts=({"id": f"{n}"},)) for n in range(100))
    guilty = {f"h{n}" for n in bad}
    pending, sent, done = [Batch(edits_)], 0, 0
    out: set[str] = set()
    while pending:
        batch = pending.pop()
        sent += 1
        poison = [edit for edit in batch.edits if edit.key in guilty]
        if not poison:
            done += len(batch.edits)
            continue
        blamed, rest = sorted_out(batch, poison[0] if named else None, full=False)
        out |= {edit.key for edit in blamed}
        pending += rest

    assert (out, done) == (guilty, 100 - len(bad))
    assert sent <= 1 + len(bad) * (1 if named else 2 * math.ceil(math.log2(100)))


@given(edits().filter(bool), st.data())
def test_a_full_zone_takes_what_comes_first_and_what_needs_no_room(
    given_edits: list[Edit], data: st.DataObject
) -> None:
    """From the edit that found no room on, edits that post are out; nothing is lost."""
    place = data.draw(st.integers(0, len(given_edits) - 1))

    out, rest = sorted_out(Batch(tuple(given_edits)), given_edits[place], full=True)

    sent = [edit for batch in rest for edit in batch.edits]
    assert [e for e in given_edits if e not in out] == sent
    assert all(edit.posts for edit in out)
    assert sent[:place] == given_edits[:place]
    assert not any(edit.posts for edit in sent[place:])
