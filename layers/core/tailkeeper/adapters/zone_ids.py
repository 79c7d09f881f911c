"""Zones by name: found once, remembered in the table, so that a run spends no call on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.adapters.zones import Zone


if TYPE_CHECKING:
    from tailkeeper.adapters.table import Table
    from tailkeeper.adapters.zones import Zones


@dataclass(frozen=True)
class ZoneIds:
    """The remembered zones (`zones` / name in the table)."""

    table: Table
    zones: Zones

    def zone(self, name: str) -> Zone:
        """Return a zone; raise ZoneMissing, Unauthorized, Throttled or Unreachable."""
        item = self.table.get("zones", name)
        if item:
            return Zone(item["id"], name, item["plan"], tuple(item["name_servers"]))
        return self.learn(name)

    def learn(self, name: str) -> Zone:
        """Ask Cloudflare for a zone and remember it: when it is new, or was made anew."""
        zone = self.zones.find_zone(name)
        servers = list(zone.name_servers)
        self.table.put(
            {"pk": "zones", "sk": name, "id": zone.id, "plan": zone.plan, "name_servers": servers}
        )
        return zone
