"""One plan from everything that was observed: exposures, gateways, surfaces, then the guard.

Pure: `plan_world` takes observations, configuration and memory, and returns what to do and why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailkeeper.attribution import clusters_by_answer, placed
from tailkeeper.carriers.device_changes import key_warnings
from tailkeeper.carriers.gateways import Refusal
from tailkeeper.coexistence.reverts import SWEEPS_A_DAY, reverts
from tailkeeper.coexistence.rivals import external_dns_writers, resolver_writers, scaled_down
from tailkeeper.decisions.decision import let_through, standing_back
from tailkeeper.guard import Facts, judge
from tailkeeper.hostnames import within
from tailkeeper.model import Plan
from tailkeeper.records import surface as records
from tailkeeper.records.claims import Unread, zone_wanted
from tailkeeper.resolver import leftovers, workloads
from tailkeeper.resolver import surface as resolver
from tailkeeper.split_dns import nameservers
from tailkeeper.split_dns import surface as split_dns
from tailkeeper.wanted import kind_of, record_wanted, tailnet_wanted
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.config import ClusterConfig, ResolverConfig, ZoneConfig
    from tailkeeper.model import Change, Exposure
    from tailkeeper.records.surface import Wanted
    from tailkeeper.world import World


@dataclass(frozen=True)
class Draft:
    """A judged plan, what was left out and why, and the surfaces that could not be read."""

    plan: Plan | None
    reports: tuple[str, ...]
    unread: Mapping[str, str]


def plan_world(
    world: World, surfaces: Iterable[str], now: float, sweep_seconds: float = 300
) -> Draft:
    """Return the plan of the surfaces asked for, each change with the guard's verdict."""
    asked = set(surfaces)
    changes: list[Change] = []
    unread: dict[str, str] = {}
    reports = [
        f"{r.source}: {r.why}" for d in world.discoveries.values() for r in d.reports if r.told
    ]
    if "records" in asked:
        changes += scaled_down(world)
        for zone in world.config.zones:
            if why := world.zones[zone.name]["why"]:
                unread["records"] = f"{zone.name}: {why}"
            else:
                changes += _zone_changes(world, zone, reports)
    if "resolver" in asked:
        for cluster, config in resolvers_of(world.config):
            observed = world.resolvers[place_of(cluster, config)]
            if observed["why"]:
                unread["resolver"] = observed["why"]
            else:
                changes += _resolver_changes(world, cluster, config, reports)
    if "split-dns" in asked:
        if why := world.tailnet_document["partial"].get("split_dns"):
            unread["split-dns"] = why
        else:
            standing = world.tailnet_document["split_dns"]
            wanted, others = nameservers.wanted_of(world), nameservers.others_of(world)
            changes += split_dns.plan_split_dns(standing, wanted, others)
            reports += nameservers.told(world)
    contested = reverts(world, changes, now - SWEEPS_A_DAY * sweep_seconds)
    facts = replace(_facts(world, now, sweep_seconds), contested=contested.held)
    told = (*contested.reports, *reports, *world.ghosts, *key_warnings(world, now))
    return Draft(Plan.of(judge(changes, facts)), told, unread)


def _zone_changes(world: World, zone: ZoneConfig, reports: list[str]) -> list[Change]:
    held = world.held[zone.name]
    claims: dict[str, list[Wanted]] = {}
    for exposure in world.exposures:
        if exposure.published and world.config.zone_of(exposure.host) == zone:
            made = claims.setdefault(exposure.host, [])
            if wanted_record := record_wanted(world, zone, exposure):
                made.append(wanted_record)
    plan, unread = world.zones[zone.name].get("plan", ""), Unread(world.partial, world.kept)
    wanted = zone_wanted(claims, held, plan, reports, unread)
    changes = records.plan_zone(zone, held, wanted, world.config.guard.protected)
    kept = world.kept | claims.keys()
    clusters = clusters_by_answer(world) if len(world.config.clusters) > 1 else {}
    return [
        change if change.after else placed(change, clusters)
        for change in changes
        if change.after is not None or change.key not in kept
    ]


def _resolver_changes(
    world: World, cluster: ClusterConfig, config: ResolverConfig, reports: list[str]
) -> list[Change]:
    place = place_of(cluster, config)
    observed = world.resolvers[place]
    wanted: dict[str, Wanted] = {}
    for exposure in world.exposures:
        if _is_answered(exposure, cluster, config):
            answer = tailnet_wanted(world, cluster, exposure)
            if answer and (
                answer.host not in wanted or answer.targets < wanted[answer.host].targets
            ):
                wanted[answer.host] = answer
    reports += leftovers.told(config, observed["text"], wanted)
    unseen = "; ".join(observed.get("unseen", {}).values())
    reports += [f"who else writes {place} is not all seen: {unseen}"] if unseen else []
    changes = resolver.plan_resolver(config, place, observed["text"], wanted)
    if config.take_over:
        lines = world.memory.ledgers.get(place, {})
        changes += workloads.taken_over(config, place, observed, lines)
    return [
        _traced(world, cluster.name, change)
        for change in changes
        if change.after is not None or change.key not in world.kept
    ]


def _traced(world: World, cluster: str, change: Change) -> Change:
    """Return a delete with the kind of its source, where the zone's mark of the name tells it."""
    zone = world.config.zone_of(change.key) if change.after is None else None
    held = world.held[zone.name].get(change.key) if zone else None
    kind = held.resource.partition("/")[0] if held else ""
    return replace(change, source=f"{cluster}/{kind}") if kind else change


def _is_answered(exposure: Exposure, cluster: ClusterConfig, config: ResolverConfig) -> bool:
    """Say whether a resolver is to answer an exposure."""
    mine = not exposure.gateway or exposure.cluster == cluster.name
    inside = any(within(exposure.host, domain) for domain in config.domains)
    return mine and inside and "tailnet" in exposure.views


def _facts(world: World, now: float, sweep_seconds: float) -> Facts:
    names = {zone: sum(bool(n.ours) for n in held.values()) for zone, held in world.held.items()}
    for cluster, config in resolvers_of(world.config):
        place = place_of(cluster, config)
        names[place] = len(resolver.entries_of(world.resolvers[place]["text"]))
    return Facts(
        now=now,
        sweep_seconds=sweep_seconds,
        limits=world.config.guard,
        writers={**external_dns_writers(world), **resolver_writers(world)},
        refusals={
            key: carrier.reasons
            for key, carrier in world.carriers.items()
            if isinstance(carrier, Refusal)
        },
        partial=world.partial,
        missing_since=world.memory.missing_since,
        names=names,
        sources=Counter(_shown(world)),
        rejected=standing_back(world.decisions),
        approved=world.approved | let_through(world.decisions),
        pending=world.pending,
    )


def _shown(world: World) -> Iterator[tuple[str, str]]:
    """Yield (place, source) for each name that a source shows for a place, after all filters."""
    for exposure in world.exposures:
        kind = kind_of(exposure)
        zone = world.config.zone_of(exposure.host) if exposure.published else None
        if zone:
            yield zone.name, kind
            yield zone.name, f"{exposure.cluster}/{kind}"
        for cluster, config in resolvers_of(world.config):
            if _is_answered(exposure, cluster, config):
                yield place_of(cluster, config), f"{cluster.name}/{kind}"
