"""What a change's key holds in a world that was just observed, in the words of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.records import surface as records
from tailkeeper.records import takeover
from tailkeeper.records.mark_edits import mark_name, standing_mark
from tailkeeper.resolver import surface as resolver
from tailkeeper.resolver.document import is_intact
from tailkeeper.split_dns import surface as split_dns
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from tailkeeper.model import Change
    from tailkeeper.world import World


class NowhereError(Exception):
    """The place of a change is in the configuration no more."""


def standing_of(world: World, change: Change) -> Any:
    """Return a key's present value; raise NowhereError."""
    match change.surface:
        case "records":
            return _record(world, change)
        case "resolver":
            return _resolved(world, change)
    return split_dns.value_of(world.tailnet_document["split_dns"].get(change.key))


def edited_documents(world: World) -> frozenset[str]:
    """Return the places of resolvers' documents that are not as we would write them."""
    texts = {
        place_of(cluster, config): (config, world.resolvers[place_of(cluster, config)]["text"])
        for cluster, config in resolvers_of(world.config)
    }
    return frozenset(
        place
        for place, (config, text) in texts.items()
        if text is not None and not is_intact(config, text)
    )


def unread(world: World, change: Change) -> str:
    """Return why a change's place could not be read whole, or ""."""
    match change.surface:
        case "records":
            return str(world.zones.get(change.place, {}).get("why", ""))
        case "resolver":
            return str(world.resolvers.get(change.place, {}).get("why", ""))
    return str(world.tailnet_document["partial"].get("split_dns", ""))


def _record(world: World, change: Change) -> Any:
    if change.place not in world.held:
        raise NowhereError(f"the zone {change.place} is not configured any more")
    if name := mark_name(change.key):
        return standing_mark(world.texts[change.place].get(name, ()), change)
    return records.value_of(world.held[change.place].get(change.key))


def _resolved(world: World, change: Change) -> Any:
    if change.key.startswith(takeover.DEPLOYMENT):
        return _replicas(world, change)
    for cluster, config in resolvers_of(world.config):
        place = place_of(cluster, config)
        if place == change.place:
            return resolver.standing(config, world.resolvers[place], change)
    raise NowhereError(f"the resolver {change.place} is not configured any more")


def _replicas(world: World, change: Change) -> Any:
    document = world.clusters.get(change.place.partition("/")[0], {"objects": {}})
    for deployment in document["objects"].get("ExternalDNS", ()):
        if (deployment["namespace"], deployment["name"]) == takeover.deployment_of(change.key):
            return {"replicas": deployment["replicas"]}
    raise NowhereError(f"{change.key} was not found in {change.place}")
