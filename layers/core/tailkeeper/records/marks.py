"""The ownership marks that go with a name's value, in ExternalDNS's formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import fits
from tailkeeper.ownership import Mark
from tailkeeper.records.held import in_order, mark_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.records.held import Held


def types_of(value: Mapping[str, Any] | None) -> set[str]:
    """Return the record types of a value."""
    return {record["type"] for record in value["records"]} if value else set()


def marks_after(
    zone: ZoneConfig, host: str, held: Held, resources: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the marks that a name should have, given those that it has.

    What a mark says besides its object stays. A legacy mark goes with the last of its records;
    one that covers no record goes by policy `sync` only. Where DNS has no room for the newest
    format's name, the legacy mark does.
    """
    newest = {zone.marks.name(host, kind): kind for kind in resources}
    legacy = {name for kind in resources for name in zone.marks.candidates(host, kind)[1:]}
    said = {(name, resources[kind]) for name, kind in newest.items()}
    marks = []
    # Of two marks under one name, the one that names the object already is not to be doubled.
    for entry in sorted(map(mark_of, held.marks), key=lambda e: (not _says(e, said), in_order(e))):
        mark = Mark.parse(entry["content"])
        kind = newest.pop(entry["name"], "")
        if kind and mark:
            entry["content"] = Mark(mark.owner, resources[kind], mark.labels).value
        if kind or entry["name"] in legacy or (zone.policy != "sync" and not held.ours):
            marks.append(entry)
    kept = {entry["name"] for entry in marks}
    added = (
        (name, Mark(zone.owner, resources[kind]).value)
        for name, kind in newest.items()
        if fits(name) or zone.marks.candidates(host, kind)[-1] not in kept
    )
    return sorted((*marks, *({"name": n, "content": c} for n, c in added)), key=in_order)


def unmarkable(zone: ZoneConfig, host: str, value: Mapping[str, Any]) -> str:
    """Say which mark of a value DNS has no room for; else ""."""
    if "marks" in value:
        names = [mark["name"] for mark in value["marks"]]
    else:
        names = [zone.marks.name(host, kind) for kind in sorted(types_of(value))]
    long = next((name for name in names if not fits(name)), "")
    return f"its mark {long} would be longer than DNS allows: choose a shorter name" if long else ""


def resource_of(zone: ZoneConfig, host: str, kind: str, marks: Iterable[Mapping[str, Any]]) -> str:
    """Return the object that a record's marks come to, the smallest where they name several."""
    texts = [(entry["name"], Mark.parse(entry["content"])) for entry in marks]
    for candidate in zone.marks.candidates(host, kind):
        if found := [mark.resource for name, mark in texts if name == candidate and mark]:
            return min(found)
    return ""


def _says(entry: Mapping[str, Any], said: set[tuple[str, str]]) -> bool:
    mark = Mark.parse(entry["content"])
    return mark is not None and (entry["name"], mark.resource) in said


def marks_of(zone: ZoneConfig, host: str, value: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the marks of a value: those that it names, else one for each record type."""
    if value is None:
        return []
    if "marks" in value:
        return list(value["marks"])
    names = sorted(zone.marks.name(host, kind) for kind in types_of(value))
    content = Mark(zone.owner, value["resource"]).value
    return [{"name": name, "content": content} for name in names]
