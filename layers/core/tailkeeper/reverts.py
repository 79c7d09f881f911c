"""Writers who bring their own values back: written over once, then held by name (F11, F12, S5).

What stands is compared with what we wrote last (`tailkeeper.ledger`); a ConfigMap's managed fields
say who wrote it. A hold ends a day after we last wrote over that writer, when a person approves, or
with `take_over`, which is the order to write over everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailkeeper.ledger import SOMEBODY
from tailkeeper.managers import remedy
from tailkeeper.resolver_document import parse
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.config import ClusterConfig, ResolverConfig
    from tailkeeper.model import Change
    from tailkeeper.world import World

DOCUMENT = ""  # the key of a resolver's whole document in its place's ledger
SWEEPS_A_DAY = 288


@dataclass
class Reverts:
    """Why keys are held, by (place, key), where key "" is the whole place; and what to tell."""

    held: dict[tuple[str, str], str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)

    def add(self, key: tuple[str, str], who: str, what: str, mend: str, *, again: bool) -> None:
        """Hold a key when it is brought back again; the first time, tell only."""
        if again:
            self.held[key] = f"{who} brought {what} back twice: {mend}, then approve"
        else:
            self.reports.append(f"{who} wrote {what}, which is written over once: {mend}")


def reverts(world: World, changes: Sequence[Change], since: float) -> Reverts:
    """Return what of the planned changes is contested; older writes over others do not count."""
    found = Reverts()
    for change in changes:
        if change.surface != "resolver" and not change.obstacle:
            _of_key(world, change, since, found)
    for cluster, config in resolvers_of(world.config):
        place = place_of(cluster, config)
        planned = [change for change in changes if change.place == place]
        if planned and world.resolvers[place]["text"] is not None:
            lifted = config.take_over or any(_is_approved(world, c) for c in planned)
            _of_document(world, cluster, config, since, found, lifted=lifted)
    return found


def _of_key(world: World, change: Change, since: float, found: Reverts) -> None:
    line = world.memory.line(change.place, change.key)
    if line is None or line.wrote(change.before):
        return
    lifted = _is_approved(world, change) or _is_taken_over(world, change)
    again = line.times_over(SOMEBODY, since) > 0 and not lifted
    what = f"{change.key} of {change.place}"
    mend = "find what else writes it, a person, Terraform or an ExternalDNS, and let it leave this"
    found.add((change.place, change.key), SOMEBODY, what, mend, again=again)


def _is_approved(world: World, change: Change) -> bool:
    return bool(world.approved) and change.digest in world.approved


def _is_taken_over(world: World, change: Change) -> bool:
    if change.surface == "records":
        return any(z.take_over for z in world.config.zones if z.name == change.place)
    resolvers = (config for _, config in resolvers_of(world.config))
    return any(config.take_over for config in resolvers if change.key in config.domains)


def _of_document(
    world: World,
    cluster: ClusterConfig,
    config: ResolverConfig,
    since: float,
    found: Reverts,
    *,
    lifted: bool,
) -> None:
    place = place_of(cluster, config)
    observed, line = world.resolvers[place], world.memory.line(place, DOCUMENT)
    text, owners = observed["text"], [o["manager"] for o in observed.get("owners", ())]
    who = next(iter(owners), SOMEBODY)
    what = f"{config.key} of ConfigMap {config.place}"
    mend = remedy(who, config)
    if line is None:
        if (owners or _is_foreign(text)) and not config.take_over:
            why = f"{what} belongs to {who}: set take_over: true, or {mend}"
            found.held[place, DOCUMENT] = why
    elif not line.wrote(text):
        again = line.times_over(who, since) > 0 and not lifted
        found.add((place, DOCUMENT), who, what, mend, again=again)


def _is_foreign(text: str) -> bool:
    """Say whether a document is somebody else's; an empty one is nobody's."""
    return bool(text.strip()) and parse(text) is None
