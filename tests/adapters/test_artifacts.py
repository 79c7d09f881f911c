"""Payloads too large for a state: a pointer into the bucket, and the document again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.artifacts import BUDGET, Artifacts
from tailkeeper.adapters.aws import AwsError


if TYPE_CHECKING:
    from tests.support.line import Line


def test_small_documents_travel_inline(line: Line) -> None:
    """Up to the budget, in bytes of JSON, no call is made."""
    text = "x" * (BUDGET - 2)
    packed = Artifacts().pack(text, "plans")

    assert packed == {"inline": text}
    assert Artifacts().unpack(packed) == text
    assert line.calls == []


def test_large_documents_leave_a_pointer(line: Line) -> None:
    """One byte more goes to the bucket; bytes count, not characters."""
    document = {"hosts": ["ä" * (BUDGET // 2)]}
    packed = Artifacts().pack(document, "plans")

    assert packed.keys() == {"artifact"}
    assert packed["artifact"].startswith("passing/plans/")
    assert len(json.dumps(packed)) < 200
    assert Artifacts().unpack(packed) == document
    assert line.operations == ["PutObject", "GetObject"]


@pytest.mark.parametrize("count", [0, 2, BUDGET])
def test_a_list_is_packed_as_it_is_made(line: Line, count: int) -> None:
    """Entry by entry, into what packing it whole gives."""
    packed = Artifacts().pack_each(({"n": n} for n in range(count)), "plans")

    assert packed == Artifacts().pack([{"n": n} for n in range(count)], "plans")
    assert ("inline" in packed) == (count < BUDGET)


def test_the_same_document_is_the_same_object(line: Line) -> None:
    """A state that runs twice writes one object; another budget is another decision."""
    artifacts = Artifacts()
    first, second = (artifacts.pack([1] * 100, "f", budget=10) for _ in range(2))

    assert first == second
    assert artifacts.pack([1] * 100, "f") == {"inline": [1] * 100}


def test_a_pointer_that_leads_nowhere_is_an_error(line: Line) -> None:
    """An expired artifact is never an empty plan."""
    with pytest.raises(AwsError):
        Artifacts().unpack({"artifact": "plans/gone.json"})
