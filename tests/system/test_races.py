"""Many causes on one zone, and the holder's workers killed: one end, nothing lost, no way back."""

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.leases import lease_of
from tests.support.races import FIRST_TTL, ZONE, Race


if TYPE_CHECKING:
    from tests.support.embedded import Embedded

pytestmark = [
    pytest.mark.world,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]


def run_race(
    world: Embedded, *, groups: int, each: int, seed: int, pause: float, most: int
) -> tuple[Race, dict[str, Any]]:
    """Run a race: one alone and many at once by turns, one holder aborted; return its last run."""
    race = Race(world, Random(seed))  # noqa: S311 - no secret
    world.forget_requests()
    with race.killing(pause, most):
        for version in range(groups):
            race.move_on(version)
            race.start(each if version % 2 else 1)
            if version == groups // 2:
                race.abort()
            elif not version % 2:
                world.outputs_since(race.began)
    return race, race.end()


def assert_won(race: Race, last: dict[str, Any], newest: int) -> None:
    """Fail unless the end is that of the newest world, on a way that never led back."""
    written = race.written()
    steps = [ttl for name, ttl in written if name == f"{race.name}.{ZONE}"]
    assert last["outcome"] in {"applied", "in_sync"}, last
    assert race.world.converge()["outcome"] == "in_sync"
    assert steps == sorted(steps)
    assert steps[-1] == FIRST_TTL + newest
    others = [f"{race.name}-{version}.{ZONE}" for version in range(newest + 1)]
    assert {("CNAME", name) for name in others} <= race.world.records(ZONE).keys()
    assert set(written) <= race.journalled()
    assert race.consumed() == race.told + 2
    lease = lease_of(race.world)
    assert (lease["expires"], "holder" in lease) == ({"N": "0"}, False)


def test_a_race(in_step: Embedded) -> None:
    """Alternating and at once, with workers killed and a holder aborted: one consistent end."""
    race, last = run_race(in_step, groups=3, each=10, seed=3, pause=0.3, most=10)

    assert_won(race, last, newest=2)
    assert race.kills
    race.clear(versions=3)
