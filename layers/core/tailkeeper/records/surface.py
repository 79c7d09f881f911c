"""The `records` surface: what a Cloudflare zone should say of each name.

One change covers all of one name: its address records or CNAME, and, following from them, one
ownership mark for each record type, so that a name is never written by halves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change
from tailkeeper.records.held import (
    ANSWERS,
    AUTOMATIC,
    Held,
    held_by_name,
    in_order,
    part_of,
    spelled,
    value_of,
    valued,
)
from tailkeeper.records.marks import marks_after, marks_of, resource_of, types_of, unmarkable


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.config import ZoneConfig

ALONE = ANSWERS | {"NS"}  # beside those of others, Cloudflare takes none of ours

__all__ = ["ANSWERS", "AUTOMATIC", "Held", "Wanted", "held_by_name", "plan_zone", "value_of"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one exposure wants a name of the zone to answer.

    `ttl` and `comment` None, and no `tags`, mean that nobody configured them: what stands is left.
    `parts` are the answers of several exposures, one for each record type, where they share a name.
    """

    host: str
    targets: tuple[str, ...]
    resource: str
    source: str
    gateway: str = ""
    former: frozenset[str] = frozenset()
    ttl: int | None = None
    proxied: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()
    parts: tuple[Wanted, ...] = ()


def plan_zone(
    zone: ZoneConfig,
    held: Mapping[str, Held],
    wanted: Mapping[str, Wanted],
    protected: Iterable[str] = (),
) -> list[Change]:
    """Return the changes that bring the zone from what it holds to what is wanted."""
    kept_back = frozenset(protected)
    ours = {host for host, names in held.items() if names.ours}
    changes = (
        _change(zone, host, held.get(host, Held()), wanted.get(host), kept_back)
        for host in ours | wanted.keys()
    )
    return [change for change in changes if change]


def _change(
    zone: ZoneConfig, host: str, held: Held, wanted: Wanted | None, protected: frozenset[str]
) -> Change | None:
    before = value_of(held)
    after = _after(zone, host, held, wanted) if wanted else None
    if _records(before) == _records(after) or not _allowed(zone, before, after):
        return None
    obstacle = _protection(zone, host, protected)
    if after and not obstacle and (obstacle := stranger(host, held, before, after)):
        less = _without_new_types(before, after)
        if less and _records(less) != _records(before):
            after, obstacle = less, ""
    if after and not obstacle:
        obstacle = unmarkable(zone, host, after)
    return Change(
        "records",
        host,
        before,
        after,
        place=zone.name,
        gateway=wanted.gateway if wanted else "",
        moved=bool(wanted and before and _contents(before) <= wanted.former),
        source=wanted.source if wanted else held.resource.partition("/")[0],
        obstacle=obstacle,
    )


def _records(value: Mapping[str, Any] | None) -> Any:
    """Return what of a value is worth a change: a mark by itself is not."""
    return value and value["records"]


def _allowed(zone: ZoneConfig, before: Any, after: Any) -> bool:
    """Say whether the zone's policy lets such a change be planned."""
    if zone.policy == "create-only":
        return before is None
    return zone.policy == "sync" or after is not None


def _protection(zone: ZoneConfig, host: str, protected: frozenset[str]) -> str:
    kept = host in protected or host == zone.name or host.startswith("_acme-challenge.")
    return f"{host} is protected" if kept else ""


def stranger(host: str, held: Held, before: Any, after: Mapping[str, Any]) -> str:
    """Say who is in the way of a record type that the name does not have yet; else ""."""
    new = types_of(after) - types_of(before)
    if not new or not (held.foreign or held.rivals):
        return ""
    why = "".join(f" ({rival})" for rival in held.rivals[:1])
    for record in held.foreign:
        if record["type"] in ALONE:
            return f"{host} has a {record['type']} record that is not ours{why}"
    if held.foreign and "CNAME" in new:
        kind = held.foreign[0]["type"]
        return f"{host} has a foreign {kind} record: a CNAME cannot stand beside it"
    return f"{host} is not ours: {held.rivals[0]}" if held.rivals else ""


def _without_new_types(before: Any, after: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the part of a value whose record types are there already, if there is any."""
    kinds = types_of(before)
    records = [record for record in after["records"] if record["type"] in kinds]
    return {**before, "records": records} if records else None


def _after(zone: ZoneConfig, host: str, held: Held, wanted: Wanted) -> dict[str, Any]:
    """Return the wanted value; what nobody configured stays as it is."""
    records: dict[tuple[str, str], dict[str, Any]] = {}
    resources: dict[str, str] = {}
    for part in wanted.parts or (wanted,):
        for kind, content in map(spelled, part.targets):
            records[kind, content] = _record(part, held, kind, content)
            resources[kind] = part.resource
    resource = resources[min(resources)] if resources else wanted.resource
    value = valued(records.values(), resource)
    if held.plain and len(set(resources.values())) <= 1:
        return value
    marks = marks_after(zone, host, held, resources)
    if marks == marks_of(zone, host, value):
        return value
    named = resource_of(zone, host, min(resources), marks) if resources else resource
    return {**value, "resource": named, "marks": marks}


def _record(wanted: Wanted, held: Held, kind: str, content: str) -> dict[str, Any]:
    """Return one wanted record, with what nobody configured as it stands there."""
    standing = _like(held, kind, content)
    # Cloudflare keeps no other TTL for a proxied record.
    ttl = AUTOMATIC if wanted.proxied else wanted.ttl or standing.get("ttl", AUTOMATIC)
    record = {"type": kind, "content": content, "ttl": ttl, "proxied": wanted.proxied}
    comment = standing.get("comment") if wanted.comment is None else wanted.comment
    tags = wanted.tags or standing.get("tags")
    return part_of({**record, "comment": comment, "tags": tags}) if comment or tags else record


def _like(held: Held, kind: str, content: str) -> Mapping[str, Any]:
    """Return the standing record that is most like a wanted one: the same, of its type, or any."""
    if len(held.ours) == 1:
        return held.ours[0]
    ranked = sorted(
        map(part_of, held.ours),
        key=lambda r: (
            (r["type"], r["content"]) != (kind, content),
            r["type"] != kind,
            in_order(r),
        ),
    )
    return ranked[0] if ranked else {}


def _contents(value: Mapping[str, Any]) -> set[str]:
    return {record["content"] for record in value["records"]}
