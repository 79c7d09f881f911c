"""What runs remember of git: what each branch's last commit has, and which names commits took away.

A name stays explained by the commit that took it away until it is deleted, is back, or a week has
passed in which nobody applied the commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.git.foresight import named
from tailkeeper.moments import epoch, rfc3339
from tailkeeper.resolver.surface import entries_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.world import World

    Branches = Mapping[str, Mapping[str, Any]]

WEEK = 7 * 24 * 3600


def explained(pending: Branches, vanished: Branches) -> dict[str, str]:
    """Return, by host, the commit that took it away, in words."""
    both = (*pending.values(), *vanished.values())
    return {host: named(commit) for hosts in both for host, commit in hosts.items()}


def commits_after(world: World) -> dict[str, Any]:
    """Return what the last commit of each configured branch has, and what of it came early.

    A name is early until its cluster shows it.
    """
    foresight, branches = world.foresight, {r.key: r for r in world.config.repositories}
    seen = {} if foresight is None or foresight.proposed else foresight.known
    early = set() if foresight is None else {exposure.host for exposure in foresight.early}
    shown = {e.host for d in world.discoveries.values() for e in d.exposures}
    found: dict[str, Any] = {}
    for key, commit in {**world.memory.commits, **seen}.items():
        if key in branches:
            hosts = {host for what in commit["sources"].values() for host in what["hosts"]}
            standing = set(world.memory.commits.get(key, {}).get("ahead", ())) | early
            found[key] = {**commit, "ahead": sorted((standing & hosts) - shown)}
    return found


def pending_after(world: World, now: float) -> dict[str, Any]:
    """Return the names that commits took away and that are still answered, by branch."""
    foresight = world.foresight
    fresh = {} if foresight is None or foresight.proposed else foresight.vanished
    known = {} if foresight is None or foresight.proposed else foresight.known
    found: dict[str, Any] = {}
    for key in {**world.memory.pending, **fresh}:
        back = {h for what in known.get(key, {}).get("sources", {}).values() for h in what["hosts"]}
        new = {host: _dated(commit, now) for host, commit in fresh.get(key, {}).items()}
        hosts = {**world.memory.pending.get(key, {}), **new}
        stands = {
            host: commit
            for host, commit in sorted(hosts.items())
            if host not in back and now - epoch(commit["at"]) < WEEK and _is_answered(world, host)
        }
        if stands:
            found[key] = stands
    return found


def _dated(commit: Mapping[str, str], now: float) -> Mapping[str, str]:
    """Return a commit with the time of its push, or of now where its host tells none."""
    return commit if epoch(commit["at"]) else {**commit, "at": rfc3339(now)}


def ahead_of(world: World) -> frozenset[str]:
    """Return the names that were written at once and that no cluster shows yet."""
    at_once = {r.key for r in world.config.repositories if r.apply == "at-once"}
    gone = world.foresight.vanished if world.foresight else {}
    hosts = {
        host
        for key, commit in world.memory.commits.items()
        if key in at_once
        for host in commit.get("ahead", ())
        if host not in gone.get(key, {})
    }
    return frozenset(hosts)


def _is_answered(world: World, host: str) -> bool:
    """Say whether a surface may still answer a name; one that was not read may."""
    for name, zone in world.zones.items():
        held = world.held.get(name, {}).get(host)
        if zone["why"] or (held and held.ours):
            return True
    return any(o["why"] or host in entries_of(o["text"]) for o in world.resolvers.values())
