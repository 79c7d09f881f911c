"""Cloudflare's calls are counted once for all runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.cloudflare.ratelimit import REQUESTS, SECONDS
from tailkeeper.adapters.budget import BURST, KEY, PACE, RESERVE, Budget
from tailkeeper.adapters.zone_errors import Throttled


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the epoch second."""
        return self.now


def left(aws: Stack, clock: Clock, calls: int) -> None:
    """Leave so many calls in the bucket."""
    filled = clock.now + (BURST - calls) / PACE
    aws.table.put({"pk": KEY[0], "sk": KEY[1], "filled": filled})


def spent(budget: Budget) -> int:
    """Spend until there is nothing left; return how many calls that were."""
    for calls in range(REQUESTS):
        try:
            budget.spend()
        except Throttled:
            return calls
    return REQUESTS


def test_any_five_minutes_are_within_cloudflares_limit() -> None:
    """A full bucket and all that it gets in a window."""
    assert BURST + PACE * SECONDS <= REQUESTS


def test_two_runs_share_one_bucket(aws: Stack) -> None:
    """What one takes the other has not; the last call is in it, and no more."""
    clock = Clock()
    left(aws, clock, 5)
    one, other = Budget(aws.table, clock=clock), Budget(aws.table, clock=clock)

    one.spend()
    other.spend()

    assert spent(one) == 3
    assert spent(other) == 0


def test_a_sweep_leaves_calls_to_events(aws: Stack) -> None:
    """It stops where its reserve begins, with the seconds until it may go on."""
    clock = Clock()
    left(aws, clock, RESERVE + 1)
    sweep = Budget(aws.table, RESERVE, clock)

    sweep.spend()
    with pytest.raises(Throttled) as throttled:
        sweep.spend()
    Budget(aws.table, clock=clock).spend()

    assert throttled.value.retry_after == pytest.approx(1 / PACE, abs=0.01)


def test_calls_come_back_with_time(aws: Stack) -> None:
    """Ten seconds are ten times the pace; a bucket that was full long ago is just full."""
    clock = Clock()
    left(aws, clock, 0)
    clock.now += 10

    assert spent(Budget(aws.table, clock=clock)) == 10 * PACE

    clock.now += 10_000
    Budget(aws.table, clock=clock).spend()
    item = aws.table.get(*KEY)
    assert item
    assert item["filled"] == pytest.approx(clock.now + 1 / PACE)


def test_who_is_told_to_wait_tells_all(aws: Stack) -> None:
    """F15: one run's Retry-After stops every other one, for as long."""
    clock = Clock()
    Budget(aws.table, clock=clock).close(120)

    with pytest.raises(Throttled) as throttled:
        Budget(aws.table, clock=clock).spend()
    clock.now += 121
    Budget(aws.table, clock=clock).spend()

    assert throttled.value.retry_after == pytest.approx(120, abs=0.01)
