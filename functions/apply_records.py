"""State Apply Records: one batch for a zone; a name's records and marks never apart."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.budget import Budget
from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.writing import Report, Writing, Written
from tailkeeper.adapters.zone_ids import ZoneIds
from tailkeeper.adapters.zone_memory import ZoneMemory
from tailkeeper.adapters.zone_place import Place
from tailkeeper.adapters.zones import Zones, connect
from tailkeeper.config import Config
from tailkeeper.decisions.decision import Decision
from tailkeeper.records.mark_edits import mark_name
from tailkeeper.records.remembered import amended


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailkeeper.model import Change

DAY = 24 * 3600  # for which what Cloudflare rejects is not sent again
logger = Logger(service="apply-records")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the report of the surface; raise Unreachable, Unsettled, Throttled, Unauthorized.

    `stale` in it says that a zone which was planned from memory is not as remembered: what is not
    so was left alone, the memory is gone, and planning again sees the zone as it is.
    """
    writing, report = Writing(stack(), event), Report("records")
    places, stale = writing.changes("records"), False
    for config in Config.from_json(event["config"]).zones if places else ():
        if changes := places.get(config.name):
            token = stack().secret("CLOUDFLARE_SECRET")["api_token"]
            client = connect(os.environ["CLOUDFLARE_URL"], token)
            zones = Zones(client, budget=Budget(stack().table))
            zone = ZoneIds(stack().table, zones).zone(config.name)
            place = Place(config, zones, zone, writing.lease.renew)
            as_planned = carry_out(writing, place, changes, report)
            decide(changes, place.rejected, event["change_id"])
            stale |= not as_planned and config.name in event.get("remembered", ())
    logger.info("applied", extra={**report.as_json(), "stale": stale})
    return {**report.as_json(), "stale": stale}


def carry_out(writing: Writing, place: Place, changes: Sequence[Change], report: Report) -> bool:
    """Write a zone's changes; return whether each name was as it was when they were planned.

    The zone is remembered as it is then, or forgotten when it does not do what was expected.
    """
    memory = ZoneMemory(stack(), place.config)
    before, writes, told = memory.recall(), memory.writes, len(report.conflicts)

    def write(changes: Sequence[Change]) -> Written:
        nonlocal writes
        memory.forget()
        written = place.write(changes)
        writes = memory.forget()  # again: a sweep may have listed the zone in between
        return written

    marks = [name for change in changes if (name := mark_name(change.key))]
    hosts = [change.key for change in changes if not mark_name(change.key)]
    place.read([*hosts, *marks])
    noted = Ledger(stack().table, place.config.name).noting(write)
    writing.carry_out(changes, place.current, noted, report)
    conflicts = len(report.conflicts) - told
    if conflicts or marks:  # with another owner, other names are ours
        memory.forget()
    elif before:
        after = amended(place.config, before.records, hosts, place.records.values())
        memory.remember(after, before.at, writes)
    return conflicts == len(place.rejected)


def decide(changes: Sequence[Change], rejected: Mapping[str, str], change_id: str) -> None:
    """Let no run send today what Cloudflare rejected, as long as it would be the same."""
    now = time.time()
    stack().decisions.keep(
        replace(
            Decision.on(change, "rejected", change_id, now),
            by=f"Cloudflare ({rejected[change.key]})",
            expires=int(now) + DAY,
        )
        for change in changes
        if change.key in rejected
    )
