"""The `records` surface: what a Cloudflare zone should say, and what of it is ours.

One change covers all of one name: its address records or CNAME, and, following from them, one
ownership mark for each record type, so that a name is never written by halves.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change
from tailkeeper.ownership import Mark


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.config import ZoneConfig

ANSWERS = frozenset({"A", "AAAA", "CNAME"})
AUTOMATIC = 1  # Cloudflare's TTL "auto"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one exposure wants a name of the zone to answer."""

    host: str
    targets: tuple[str, ...]
    resource: str
    source: str
    gateway: str = ""
    former: frozenset[str] = frozenset()
    ttl: int | None = None
    proxied: bool = False


@dataclass(slots=True)
class Held:
    """What a name of the zone holds now: ours by its marks, and what belongs to others.

    `marks` are our own TXT records that cover the name.
    """

    ours: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    foreign: list[dict[str, Any]] = field(default_factory=list)
    resource: str = ""


def record_type(target: str) -> str:
    """Return the record type of a target, as ExternalDNS chooses it: A, AAAA or CNAME."""
    try:
        return "A" if ip_address(target).version == 4 else "AAAA"  # noqa: PLR2004 - IPv4
    except ValueError:
        return "CNAME"


def held_by_name(zone: ZoneConfig, records: Iterable[Mapping[str, Any]]) -> dict[str, Held]:
    """Sort a zone's records by name into ours and others'; marks are neither."""
    marks: dict[str, tuple[Mark, dict[str, Any]]] = {}
    rest: list[dict[str, Any]] = []
    for record in records:
        mark = Mark.parse(record["content"]) if record["type"] == "TXT" else None
        if mark:
            marks[record["name"].lower()] = mark, dict(record)
        else:
            rest.append(dict(record))
    names: defaultdict[str, Held] = defaultdict(Held)
    for record in rest:
        candidates = zone.marks.candidates(record["name"], record["type"])
        found = [marks[name] for name in candidates if name in marks]
        _sort_in(names[record["name"]], record, found, zone.owner)
    for host, held in _widowed(zone, marks):
        names.setdefault(host, held)
    return dict(names)


def _widowed(
    zone: ZoneConfig, marks: Mapping[str, tuple[Mark, dict[str, Any]]]
) -> Iterator[tuple[str, Held]]:
    """Yield names that hold nothing but marks of ours, whose records somebody deleted.

    They are used again, or go: Cloudflare refuses to write the same text twice.
    """
    names: defaultdict[str, Held] = defaultdict(Held)
    for name, (mark, text) in marks.items():
        covered = zone.marks.covered(name)
        if covered and mark.owner == zone.owner:
            names[covered[0]].marks.append(text)
            names[covered[0]].resource = mark.resource
    yield from names.items()


def _sort_in(
    held: Held, record: dict[str, Any], found: list[tuple[Mark, dict[str, Any]]], owner: str
) -> None:
    if record["type"] in ANSWERS and found and found[0][0].owner == owner:
        held.ours.append(record)
        held.resource = found[0][0].resource
        held.marks += [t for mark, t in found if mark.owner == owner and t not in held.marks]
    else:
        held.foreign.append(record)


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


def value_of(held: Held | None) -> dict[str, Any] | None:
    """Return a name's value as changes carry it; None when nothing there is ours."""
    return _value(held.ours, held.resource) if held and held.ours else None


def _change(
    zone: ZoneConfig, host: str, held: Held, wanted: Wanted | None, protected: frozenset[str]
) -> Change | None:
    before = value_of(held)
    after = _after(held, wanted) if wanted else None
    if before == after or not _allowed(zone, before, after):
        return None
    kind = (wanted.resource if wanted else held.resource).partition("/")[0]
    return Change(
        "records",
        host,
        before,
        after,
        place=zone.name,
        gateway=wanted.gateway if wanted else "",
        moved=bool(wanted and before and _contents(before) <= wanted.former),
        source=wanted.source if wanted else f"{kind}",
        obstacle=_obstacle(zone, host, held, wanted, protected),
    )


def _allowed(zone: ZoneConfig, before: Any, after: Any) -> bool:
    """Say whether the zone's policy lets such a change be planned."""
    if zone.policy == "create-only":
        return before is None
    return zone.policy == "sync" or after is not None


def _obstacle(
    zone: ZoneConfig, host: str, held: Held, wanted: Wanted | None, protected: frozenset[str]
) -> str:
    if host in protected or host == zone.name or host.startswith("_acme-challenge."):
        return f"{host} is protected"
    if not wanted:
        return ""
    for record in held.foreign:
        if record["type"] in ANSWERS:
            return f"{host} has a {record['type']} record that is not ours"
        if any(record_type(target) == "CNAME" for target in wanted.targets):
            return f"{host} has a foreign {record['type']} record: a CNAME cannot stand beside it"
    return ""


def _after(held: Held, wanted: Wanted) -> dict[str, Any]:
    """Return the wanted value; a TTL that nobody configured stays as it is."""
    standing = held.ours[0]["ttl"] if held.ours else AUTOMATIC
    # Cloudflare keeps no other TTL for a proxied record.
    ttl = AUTOMATIC if wanted.proxied else wanted.ttl or standing
    records = [
        {
            "type": record_type(target),
            "content": _normal(target),
            "ttl": ttl,
            "proxied": wanted.proxied,
        }
        for target in wanted.targets
    ]
    return _value(records, held.resource or wanted.resource)


def _normal(target: str) -> str:
    try:
        return str(ip_address(target))
    except ValueError:
        return target.lower().removesuffix(".")


def _value(records: Iterable[Mapping[str, Any]], resource: str) -> dict[str, Any]:
    parts = ({k: r.get(k) for k in ("type", "content", "ttl", "proxied")} for r in records)
    return {
        "records": sorted(
            ({**p, "proxied": bool(p["proxied"])} for p in parts),
            key=lambda r: (str(r["type"]), str(r["content"])),
        ),
        "resource": resource,
    }


def _contents(value: Mapping[str, Any]) -> set[str]:
    return {record["content"] for record in value["records"]}
