"""What is remembered of a zone: right, fresh, of these settings, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.zone_memory import ZoneMemory
from tailkeeper.config import ZoneConfig


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ZONE = ZoneConfig("example.com", "homelab")


def records(count: int) -> list[dict[str, Any]]:
    """Return records as listings hold them."""
    return [{"id": f"{n}", "name": f"h{n}.example.com", "content": "gw"} for n in range(count)]


@pytest.mark.parametrize("count", [0, 3, 10_000])
def test_what_was_kept_is_recalled(aws: Stack, count: int) -> None:
    """A few records in the item itself, ten thousand in an object."""
    memory = ZoneMemory(aws, ZONE)

    memory.remember(records(count), 100.0, memory.writes)

    found = memory.recall()
    assert found
    assert (found.records, found.at) == (records(count), 100.0)


@pytest.mark.parametrize(
    ("zone", "since", "known"),
    [
        (ZONE, 100.0, True),
        (ZONE, 101.0, False),
        (replace(ZONE, owner="other"), 0.0, False),
        (replace(ZONE, txt_prefix="x."), 0.0, False),
        (replace(ZONE, name="example.org"), 0.0, False),
    ],
)
def test_what_is_old_or_of_other_settings_is_not_used(
    aws: Stack, zone: ZoneConfig, since: float, *, known: bool
) -> None:
    """Another owner or another mark makes other records ours."""
    ZoneMemory(aws, ZONE).remember(records(1), 100.0, 0)

    assert bool(ZoneMemory(aws, zone).recall(since)) == known


def test_a_listing_from_before_a_write_is_not_remembered(aws: Stack) -> None:
    """A sweep that listed the zone while a run wrote to it has seen a zone that is gone."""
    memory = ZoneMemory(aws, ZONE)
    memory.remember(records(2), 100.0, memory.writes)
    listed = memory.writes

    assert memory.forget() == 1
    assert memory.recall() is None
    memory.remember(records(1), 101.0, listed)
    assert memory.recall() is None

    memory.remember(records(3), 102.0, memory.writes)
    found = memory.recall()
    assert found
    assert len(found.records) == 3


def test_an_object_that_is_gone_is_nothing_remembered(aws: Stack) -> None:
    """The bucket forgets after a month."""
    memory = ZoneMemory(aws, ZONE)
    memory.remember(records(10_000), 100.0, 0)
    item = aws.table.get("listed", ZONE.name)
    assert item
    aws.table.put({**item, "packed": {"artifact": "passing/zones/gone.json"}})

    assert memory.recall() is None
