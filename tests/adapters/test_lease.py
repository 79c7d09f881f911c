"""The lease: renewed by its holder at its fence, lost to a successor, none for a dry run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.lease import LEASE, Lease, LeaseLost
from tailkeeper.adapters.table import Table
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line


def test_renewing_gives_the_whole_time_again(aws: Stack) -> None:
    """Counted from now; the item comes back, and what newcomers asked is still in it."""
    aws.table.update(*LEASE, "SET asked = :two", two=2)

    item = aws.lease(RUN).renew()

    assert item["expires"] == pytest.approx(time.time() + 150, abs=5)
    assert (item["holder"], item["fence"], item["asked"]) == ("arn:run", 1, 2)
    assert aws.table.get(*LEASE) == item


@pytest.mark.parametrize(
    "taken",
    [
        {"holder": "arn:other", "fence": 2},
        {"holder": "arn:run", "fence": 2},
        {"holder": "arn:other", "fence": 1},
        None,
    ],
)
def test_who_lost_the_lease_is_told(aws: Stack, taken: dict[str, Any] | None) -> None:
    """By holder and by fence: a run that claims again is its own successor. Nothing is written."""
    aws.table.delete(*LEASE)
    if taken:
        aws.table.put({"pk": "lease", "sk": "stack", "expires": 5, **taken})
    before = aws.table.get(*LEASE)

    with pytest.raises(LeaseLost):
        aws.lease(RUN)

    assert aws.table.get(*LEASE) == before


def test_a_released_lease_is_lost(aws: Stack) -> None:
    """A sibling that is still under way finds that its run has ended."""
    aws.table.update(*LEASE, "SET expires = :zero REMOVE holder", zero=0)

    with pytest.raises(LeaseLost):
        aws.lease(RUN)


def test_a_dry_run_holds_nothing(line: Line) -> None:
    """Fence 0: nothing is asked and nothing renewed."""
    assert Lease(Table(), "arn:dry", 0).renew() == {}
    assert line.calls == []


def test_a_renewal_whose_answer_got_lost_is_none_the_worse(line: Line) -> None:
    """It is sent again, on the same condition."""
    line.fail("UpdateItem", cut="after")

    assert Lease(Table(), "arn:run", 1).renew()["fence"] == 1
    assert line.operations == ["UpdateItem"] * 2
