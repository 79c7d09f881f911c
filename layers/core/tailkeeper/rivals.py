"""One writer per surface: who else is at work on a zone or on a resolver's document."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import within
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.world import World

OWNER = "--txt-owner-id"
DOMAINS = "--domain-filter"


def external_dns_writers(world: World) -> dict[str, str]:
    """Return, by zone, the ExternalDNS that runs with the zone's owner id."""
    return {
        zone.name: f"ExternalDNS {deployment['namespace']}/{deployment['name']} (scale it to 0)"
        for zone in world.config.zones
        for cluster in world.clusters.values()
        for deployment in cluster["objects"].get("ExternalDNS", ())
        if _writes(deployment, zone)
    }


def _writes(deployment: Mapping[str, Any], zone: ZoneConfig) -> bool:
    arguments = list(deployment["args"])
    owner = _values(arguments, OWNER) or ["default"]
    domains = _values(arguments, DOMAINS)
    running = bool(deployment["replicas"])
    return (
        running
        and zone.owner in owner
        and (not domains or any(within(zone.name, d) for d in domains))
    )


def _values(arguments: list[str], flag: str) -> list[str]:
    """Return the values of a flag, given as `--flag=value` or as two arguments."""
    joined = [a.partition("=")[2] for a in arguments if a.startswith(f"{flag}=")]
    apart = [b for a, b in pairwise(arguments) if a == flag]
    return joined + apart


def resolver_writers(world: World) -> dict[str, str]:
    """Return, by place, the CronJobs that write a resolver's document and are not taken over."""
    writers = {}
    for cluster, config in resolvers_of(world.config):
        place = place_of(cluster, config)
        found = [w["name"] for w in world.resolvers[place]["writers"] if not w["suspended"]]
        if found and not config.take_over:
            writers[place] = f"CronJob {config.namespace}/{', '.join(found)} (set take_over: true)"
    return writers
