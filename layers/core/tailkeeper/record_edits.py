"""From a change of a name to what is written for it: records, and a mark for each record type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.edits import Edit
from tailkeeper.ownership import Mark
from tailkeeper.records import AUTOMATIC


if TYPE_CHECKING:
    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change
    from tailkeeper.records import Held


def edit_of(zone: ZoneConfig, change: Change, held: Held) -> Edit:
    """Return what brings a name from what it holds to the change's `after`.

    A record keeps its id where its type stays; a change of type is a delete and a post, which a
    batch carries out in one transaction.
    """
    wanted = list(change.after["records"]) if change.after else []
    patches, deletes = [], []
    for record in held.ours:
        successor = next((w for w in wanted if w["type"] == record["type"]), None)
        if successor is None:
            deletes.append({"id": record["id"]})
            continue
        wanted.remove(successor)
        if any(record.get(part) != successor[part] for part in successor):
            patches.append({"id": record["id"], "name": change.key, **successor})
    posts = [{"name": change.key, **record} for record in wanted]
    stale, missing = _marks(zone, change, held)
    return Edit(change.key, (*deletes, *stale), tuple(patches), (*posts, *missing))


def _marks(
    zone: ZoneConfig, change: Change, held: Held
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the marks to delete and to post; a legacy mark goes with the last of its records."""
    types = {record["type"] for record in change.after["records"]} if change.after else set()
    names = {zone.marks.name(change.key, kind) for kind in types}
    legacy = zone.marks.candidates(change.key, "CNAME")[-1]
    keep = names | {legacy} if types else set()
    stale = [{"id": mark["id"]} for mark in held.marks if mark["name"] not in keep]
    standing = {mark["name"] for mark in held.marks}
    content = Mark(zone.owner, change.after["resource"]).value if change.after else ""
    missing = [
        {"name": name, "type": "TXT", "content": content, "ttl": AUTOMATIC}
        for name in sorted(names - standing)
    ]
    return stale, missing
