"""State Observe Zones: every record of each configured zone, in one request for 5,000."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.zone_errors import (
    Rejected,
    Throttled,
    Unauthorized,
    Unreachable,
    ZoneMissing,
)
from tailkeeper.adapters.zone_ids import ZoneIds
from tailkeeper.adapters.zones import Zones, connect
from tailkeeper.config import Config


TIMEOUT = 15  # seconds: three tries are within a function's minute
logger = Logger(service="observe-zones")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed {zone: {records, name_servers, plan, why}}; never raise for one."""
    stack().lease(event["run"])
    names = [zone.name for zone in Config.from_json(event["config"]).zones]
    if token := stack().secret("CLOUDFLARE_SECRET").get("api_token"):
        zones = Zones(connect(os.environ["CLOUDFLARE_URL"], token, TIMEOUT))
        observed = {name: observe(zones, name) for name in names}
    else:
        observed = {name: nothing("the secret holds no api_token") for name in names}
    logger.info("observed", extra={"why": {name: zone["why"] for name, zone in observed.items()}})
    return stack().artifacts.pack(observed, "observations")


def observe(zones: Zones, name: str) -> dict[str, Any]:
    """Return one zone's records, or why they could not be read whole."""
    known = ZoneIds(stack().table, zones)
    try:
        zone = known.zone(name)
        try:
            listing = zones.list_records(zone.id)
        except ZoneMissing:
            zone = known.learn(name)
            listing = zones.list_records(zone.id)
    except (Rejected, Throttled, Unauthorized, Unreachable, ZoneMissing) as error:
        return nothing(str(error))
    return {
        "records": listing.records,
        "name_servers": list(zone.name_servers),
        "plan": zone.plan,
        "why": listing.partial,
    }


def nothing(why: str) -> dict[str, Any]:
    """Return the observation of a zone that could not be read."""
    return {"records": [], "name_servers": [], "why": why}
