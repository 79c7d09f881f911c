"""What is kept of a zone that was listed: the records of our names, and of who is in their way.

A listing is as long as the zone; what is kept of it is as long as our part. `held_by_name` sorts
what is kept just as it would sort the listing, as far as our names and the wanted ones go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.ownership import MARKED_TYPES


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.records.held import Held
    from tailkeeper.world import World

Record = dict[str, Any]


def kept_of(
    zone: ZoneConfig, records: Iterable[Record], held: Mapping[str, Held], wanted: Iterable[str]
) -> list[Record]:
    """Return what is worth keeping of a zone's records: our names, and those that we want."""
    ours = {host for host, names in held.items() if names.ours or names.marks}
    names = names_of(zone, {*ours, *wanted})
    return [record for record in records if record["name"].lower() in names]


def amended(
    zone: ZoneConfig, kept: Iterable[Record], hosts: Iterable[str], standing: Iterable[Record]
) -> list[Record]:
    """Return what is kept after some names were read and written; `standing` is their zone now."""
    names = names_of(zone, hosts)
    others = [record for record in kept if record["name"].lower() not in names]
    return others + [record for record in standing if record["name"].lower() in names]


def names_of(zone: ZoneConfig, hosts: Iterable[str]) -> set[str]:
    """Return the names under which records of these hosts, and their marks, may stand."""
    names = set()
    for host in hosts:
        names.add(host.lower())
        for kind in MARKED_TYPES:
            names.update(zone.marks.candidates(host, kind))
    return names


def wanted_of(world: World, zone: ZoneConfig) -> set[str]:
    """Return the names that the exposures want of a zone."""
    return {
        exposure.host
        for exposure in world.exposures
        if exposure.published and world.config.zone_of(exposure.host) == zone
    }
