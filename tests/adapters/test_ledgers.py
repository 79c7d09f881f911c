"""The ledger in the table: noted before a write, settled after it, whatever happens between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.ledgers import Ledger, ledgers
from tailkeeper.adapters.writing import Written
from tailkeeper.model import Change


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.adapters.stack import Stack

ZONE = "example.com"


def change(key: str, before: int | None, after: int | None) -> Change:
    """Return a change of a name."""
    return Change("records", key, before, after, place=ZONE)


def test_what_came_through_is_settled_and_what_was_refused_is_not(aws: Stack) -> None:
    """A name that Cloudflare rejects still holds what was there before: that is ours too."""
    ledger = Ledger(aws.table, ZONE)
    write = ledger.noting(lambda _: Written("1 batch", {"b": "poison"}))

    write([change("a", None, 1), change("b", 5, 6)])

    lines = ledgers(aws.table)[ZONE]
    assert [lines["a"].wrote(1), lines["a"].wrote(None)] == [True, False]
    assert [lines["b"].wrote(5), lines["b"].wrote(6), lines["b"].wrote(7)] == [True, True, False]


def test_a_write_that_dies_leaves_both_values_ours(aws: Stack) -> None:
    """Tried again it is over nobody; a stranger's value then is."""

    def die(_: Sequence[Change]) -> Written:
        raise ConnectionError

    ledger = Ledger(aws.table, ZONE)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            ledger.noting(die)([change("a", 1, 2)])
    ledger.noting(lambda _: Written(""))([change("a", 2, 2)])

    assert ledger.lines()["a"].over == ()
    ledger.noting(lambda _: Written(""))([change("a", 9, 2)])
    assert ledger.lines()["a"].times_over("somebody", 0) == 1


def test_of_many_writes_the_last_are_noted(aws: Stack) -> None:
    """Ten thousand names at once cost no more than a thousand."""
    ledger = Ledger(aws.table, ZONE)

    ledger.noting(lambda _: Written(""))([change(str(n), None, n) for n in range(1_500)])

    lines = ledger.lines()
    assert len(lines) == 1_000
    assert lines["1499"].done
    assert "499" not in lines


def test_each_place_has_a_ledger_of_its_own(aws: Stack) -> None:
    """All of them are read at once; nobody who never wrote is in it."""
    for place in ("example.com", "example.org"):
        Ledger(aws.table, place).note([("a", None, place)])

    assert ledgers(aws.table).keys() == {"example.com", "example.org"}
    assert Ledger(aws.table, "example.net").lines() == {}
