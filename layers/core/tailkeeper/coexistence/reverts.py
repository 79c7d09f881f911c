"""Writers who bring their own values back: written over once, then held by name (F11, F12, S5).

What stands is compared with what we wrote last (`tailkeeper.coexistence.ledger`); a ConfigMap's
managed fields say who wrote it. A hold ends a day after we last wrote over that writer, or when
a person approves. `take_over` lets us write over what we never wrote, but fights no more
than that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.coexistence.ledger import SOMEBODY
from tailkeeper.coexistence.managers import remedy
from tailkeeper.model import Verdict
from tailkeeper.resolver.leftovers import is_foreign
from tailkeeper.resolver.workloads import DOCUMENT_LINE
from tailkeeper.split_dns.nameservers import others_of, owned
from tailkeeper.world import place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailkeeper.config import ClusterConfig, ResolverConfig
    from tailkeeper.model import Change
    from tailkeeper.world import World

SWEEPS_A_DAY = 288


@dataclass
class Reverts:
    """Verdicts on held keys, by (place, key), where key "" is the whole place; what to tell."""

    held: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)

    def add(self, key: tuple[str, str], who: str, what: str, mend: str, *, again: bool) -> None:
        """Hold a key when it is brought back again; the first time, tell only."""
        if again:
            why = f"{who} brought {what} back twice: {mend}, then approve"
            self.held[key] = Verdict("hold", 2, (why,), contested=True)
        else:
            self.reports.append(f"{who} wrote {what}, which is written over once: {mend}")

    def leave(self, key: tuple[str, str], why: str) -> None:
        """Hold a key that is somebody's, and that we never wrote."""
        self.held[key] = Verdict("hold", 2, (why,))


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
            approved = any(_is_approved(world, change) for change in planned)
            _of_document(world, cluster, config, since, found, approved=approved)
    return found


def _of_key(world: World, change: Change, since: float, found: Reverts) -> None:
    line, key = world.memory.line(change.place, change.key), (change.place, change.key)
    if line is None:
        if change.surface == "split-dns" and (whose := owned(world, change.key)):
            mend = "remove it, or set take_over: true on the resolver"
            found.leave(key, f"{change.key} is asked of {whose}, which is not ours: {mend}")
    elif not any(line.wrote(value) for value in _as_ours(world, change)):
        again = line.times_over(SOMEBODY, since) > 0 and not _is_approved(world, change)
        mend = "find what else writes it, a person, Terraform or an ExternalDNS, and end that"
        found.add(key, SOMEBODY, f"{change.key} of {change.place}", mend, again=again)


def _as_ours(world: World, change: Change) -> Iterator[Any]:
    """Yield what stands, then what of it is not somebody's that stays beside ours."""
    yield change.before
    if change.surface == "split-dns" and change.before:
        others = others_of(world).get(change.key, ())
        yield {"nameservers": [a for a in change.before["nameservers"] if a not in others]}


def _is_approved(world: World, change: Change) -> bool:
    return bool(world.approved) and change.digest in world.approved


def _of_document(
    world: World,
    cluster: ClusterConfig,
    config: ResolverConfig,
    since: float,
    found: Reverts,
    *,
    approved: bool,
) -> None:
    place = place_of(cluster, config)
    observed, line = world.resolvers[place], world.memory.line(place, DOCUMENT_LINE)
    text, owners = observed["text"], [o["manager"] for o in observed.get("owners", ())]
    who = next(iter(owners), SOMEBODY)
    what = f"{config.key} of ConfigMap {config.place}"
    mend = remedy(who, config)
    if line is None:
        if (owners or is_foreign(text)) and not config.take_over:
            why = f"{what} belongs to {who}: set take_over: true, or {mend}"
            found.leave((place, DOCUMENT_LINE), why)
    elif not line.wrote(text):
        again = line.times_over(who, since) > 0 and not approved
        found.add((place, DOCUMENT_LINE), who, what, mend, again=again)
