"""One writer per surface: who else is at work on a zone or on a resolver's document."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import within
from tailkeeper.records import takeover
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
        zone.name: f"ExternalDNS {_name(deployment)} (scale it to 0, give it another"
        " owner id, or set take_over: true)"
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
    """Say whether an ExternalDNS that runs may write a zone's records under the zone's mark.

    A flag whose value is in another object may mean anything; the registry `noop` heeds no mark.
    """
    arguments = list(deployment["args"])
    owners = _values(arguments, OWNER) or ["default"]
    domains = _values(arguments, DOMAINS)
    providers = _values(arguments, "--provider") or ["cloudflare"]
    return (
        bool(deployment["replicas"])
        and not {"--dry-run", "--dry-run=true"} & set(arguments)
        and any(provider == "cloudflare" or _is_unknown(provider) for provider in providers)
        and (
            "noop" in _values(arguments, "--registry")
            or any(owner == zone.owner or _is_unknown(owner) for owner in owners)
        )
        and (not domains or any(_overlap(zone.name, domain) for domain in domains))
    )


def _overlap(zone: str, domain: str) -> bool:
    """Say whether a domain filter lets names of a zone through; `.a` means what is below `a`."""
    name = domain.removeprefix(".")
    return _is_unknown(domain) or within(zone, name) or within(name, zone)


def _is_unknown(value: str) -> bool:
    return "$(" in value


def _values(arguments: list[str], flag: str) -> list[str]:
    """Return the values of a flag, given as `--flag=value` or as two arguments."""
    joined = [a.partition("=")[2] for a in arguments if a.startswith(f"{flag}=")]
    apart = [b for a, b in pairwise(arguments) if a == flag]
    return joined + apart


def resolver_writers(world: World) -> dict[str, str]:
    """Return, by place, the workloads at work on a resolver's document that are not taken over.

    A take-over suspends CronJobs; nobody but its owner can say what else a Deployment does.
    """
    writers = {}
    for cluster, config in resolvers_of(world.config):
        place = place_of(cluster, config)
        working = [w for w in world.resolvers[place]["writers"] if not w["suspended"]]
        held = [w for w in working if not (config.take_over and _is_cron_job(w))]
        if held:
            names = ", ".join(
                f"{_kind(w)} {w.get('namespace', config.namespace)}/{w['name']}" for w in held
            )
            mend = "set take_over: true" if all(map(_is_cron_job, held)) else "scale it to 0"
            writers[place] = f"{names} ({mend})"
    return writers


def _is_cron_job(writer: Mapping[str, Any]) -> bool:
    return _kind(writer) == "CronJob"


def _kind(writer: Mapping[str, Any]) -> str:
    return str(writer.get("kind", "CronJob"))
