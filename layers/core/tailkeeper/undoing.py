"""Taking a change back: the exact inverse of what its rounds came to, compared with what stands.

An undo asks no guard: a person ordered it. It overwrites nothing that somebody changed since, and
claims nothing that somebody put where it would restore a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.model import Plan, Verdict
from tailkeeper.planning import Draft
from tailkeeper.records.surface import Held, stranger
from tailkeeper.resolver.workloads import is_workload
from tailkeeper.standing import NowhereError, edited_documents, standing_of, unread


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tailkeeper.model import Change
    from tailkeeper.world import World


def net_of(changes: Iterable[Change]) -> list[Change]:
    """Return one change for each key, from before its first round to after its last."""
    net: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        key = change.surface, change.place, change.key
        net[key] = net[key].followed_by(change) if key in net else change
    return [change for change in net.values() if change.before != change.after]


def plan_undo(world: World, changes: Iterable[Change]) -> Draft:
    """Return what takes a change back: `apply` what still stands as it left it, `refuse` the rest.

    What stands as it was before the change is left out; `unread` tells what could not be read.
    """
    inverse = [change.inverse for change in net_of(changes)]
    seen = [change for change in inverse if not unread(world, change)]
    edited = edited_documents(world)
    judged = [change.judged(word) for change in seen if (word := _verdict(world, change, edited))]
    whys = {str(c.surface): why for c in inverse if (why := unread(world, c))}
    return Draft(Plan.of(judged), (), whys)


def _verdict(world: World, change: Change, edited: Collection[str]) -> Verdict | None:
    """Return the word on one inverse change; None where nothing is left to do."""
    try:
        now = standing_of(world, change)
    except NowhereError as error:
        return Verdict("refuse", 0, (str(error),))
    if now == change.after:
        return None
    if now != change.before:
        return Verdict("refuse", 0, (f"it was changed since: {_told(now)}",))
    if change.place in edited and not is_workload(change.key):
        return Verdict("refuse", 0, ("somebody has edited the document since",))
    if who := _in_the_way(world, change):
        return Verdict("refuse", 0, (who,))
    return Verdict("apply", 0, ("takes back what was changed",))


def _in_the_way(world: World, change: Change) -> str:
    """Say what of somebody else is where a name's records are to be restored, or ""."""
    if change.surface != "records" or "records" not in (change.after or {}):
        return ""
    held = world.held[change.place].get(change.key, Held())
    return stranger(change.key, held, change.before, change.after)


def _told(value: Any) -> str:
    """Return in a few words what a key holds that we did not leave there."""
    match value:
        case None:
            return "it is gone"
        case {"records": found}:
            return "it holds " + ", ".join(f"{r['type']} {r['content']}" for r in found)
        case {"addresses": found} | {"nameservers": found}:
            return "it holds " + ", ".join(found)
    return "it holds something else"
