"""State Observe Zones: each zone as the last listing left it, or listed, 5,000 records a call."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.budget import RESERVE, Budget
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.zone_errors import (
    Rejected,
    Throttled,
    Unauthorized,
    Unreachable,
    ZoneMissing,
)
from tailkeeper.adapters.zone_ids import ZoneIds
from tailkeeper.adapters.zone_memory import ZoneMemory
from tailkeeper.adapters.zones import Zone, Zones, connect
from tailkeeper.config import Config, ZoneConfig


TIMEOUT = 15  # seconds: three tries are within a function's minute
SWEEPS = 2  # for so many sweeps a listing is remembered
logger = Logger(service="observe-zones")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed {zone: {records, name_servers, plan, why, listed, writes}}.

    Without `listing`, what is remembered of a zone answers for it. A zone that cannot be read says
    why; to a `patient` run, one that is throttled raises Throttled.
    """
    stack().lease(event["run"])
    zones = Config.from_json(event["config"]).zones
    if token := stack().secret("CLOUDFLARE_SECRET").get("api_token"):
        budget = Budget(stack().table, RESERVE if event["run"].get("sweep") else 0)
        client = connect(os.environ["CLOUDFLARE_URL"], token, TIMEOUT)
        known = ZoneIds(stack().table, Zones(client, budget=budget))
        reader = Reader(known, listing=event.get("listing", True), patient=event.get("patient"))
        observed = {zone.name: reader.observe(zone) for zone in zones}
    else:
        observed = {zone.name: nothing("the secret holds no api_token") for zone in zones}
    said = {name: zone["why"] or zone["listed"] for name, zone in observed.items()}
    logger.info("observed", extra={"listed": said})
    return stack().artifacts.pack(observed, "observations")


@dataclass(frozen=True)
class Reader:
    """How the zones of a run are read."""

    known: ZoneIds
    listing: bool
    patient: bool | None

    def observe(self, zone: ZoneConfig) -> dict[str, Any]:
        """Return one zone's records, or why they could not be read whole."""
        memory = ZoneMemory(stack(), zone)
        try:
            return self._remembered(memory) or self._listed(memory)
        except Throttled as error:
            if self.patient:
                raise
            return nothing(str(error))
        except (Rejected, Unauthorized, Unreachable, ZoneMissing) as error:
            return nothing(str(error))

    def _remembered(self, memory: ZoneMemory) -> dict[str, Any] | None:
        oldest = time.time() - SWEEPS * float(os.environ["SWEEP_SECONDS"])
        found = None if self.listing else memory.recall(oldest)
        if not found:
            return None
        zone = self.known.zone(memory.zone.name)
        return seen(found.records, zone)

    def _listed(self, memory: ZoneMemory) -> dict[str, Any]:
        writes = memory.writes  # before the listing: what is written during it is not in it
        zone = self.known.zone(memory.zone.name)
        try:
            listing = self.known.zones.list_records(zone.id)
        except ZoneMissing:
            zone = self.known.learn(memory.zone.name)
            listing = self.known.zones.list_records(zone.id)
        return seen(listing.records, zone, listing.partial, listed=True, writes=writes)


def seen(records: list[dict[str, Any]], zone: Zone, why: str = "", **more: Any) -> dict[str, Any]:
    """Return the observation of a zone that was read, or remembered."""
    known = {"name_servers": list(zone.name_servers), "plan": zone.plan}
    return {"records": records, **known, "why": why, "listed": False, **more}


def nothing(why: str) -> dict[str, Any]:
    """Return the observation of a zone that could not be read."""
    return {"records": [], "name_servers": [], "why": why, "listed": False}
