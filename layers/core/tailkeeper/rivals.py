"""One writer per surface: who else is at work on a zone or on a resolver's document."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tailkeeper import takeover
from tailkeeper.hostnames import within
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change
    from tailkeeper.world import World

OWNER = "--txt-owner-id"
DOMAINS = "--domain-filter"


def external_dns_writers(world: World) -> dict[str, str]:
    """Return, by zone, the ExternalDNS that runs with the zone's owner id and is not taken over."""
    return {
        zone.name: f"ExternalDNS {_name(deployment)} (scale it to 0, or set take_over: true)"
        for _, deployment, zones in _at_work(world)
        for zone in zones
        if not _taken_over(zones)
    }


def scaled_down(world: World) -> Iterator[Change]:
    """Yield the changes that end each ExternalDNS all of whose zones are taken over."""
    for cluster, deployment, zones in _at_work(world):
        if _taken_over(zones):
            yield takeover.scaled_down(cluster, deployment)


def _at_work(world: World) -> Iterator[tuple[str, Mapping[str, Any], list[ZoneConfig]]]:
    """Yield each ExternalDNS that runs, its cluster, and which of our zones it writes."""
    for cluster, document in world.clusters.items():
        for deployment in document["objects"].get("ExternalDNS", ()):
            zones = [zone for zone in world.config.zones if _writes(deployment, zone)]
            if zones:
                yield cluster, deployment, zones


def _taken_over(zones: Iterable[ZoneConfig]) -> bool:
    return all(zone.take_over for zone in zones)


def _name(deployment: Mapping[str, Any]) -> str:
    return f"{deployment['namespace']}/{deployment['name']}"


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
