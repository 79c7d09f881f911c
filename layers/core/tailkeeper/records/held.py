"""What the names of a Cloudflare zone hold now: ours by their marks, and what belongs to others.

A record is ours when every mark of its name and type says so. Rules: ExternalDNS, the newest format
decides; where two owners mark one name, or a mark cannot be read, it is nobody's to us.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tailkeeper.ownership import Mark, is_encrypted


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tailkeeper.config import ZoneConfig
    from tailkeeper.ownership import MarkNames

    Record = Mapping[str, Any]
    Text = tuple[Mark | None, Record]  # None: a mark that cannot be read

ANSWERS = frozenset({"A", "AAAA", "CNAME"})
AUTOMATIC = 1  # Cloudflare's TTL "auto"


@dataclass(slots=True)
class Held:
    """What a name of the zone holds now.

    `marks` are our own TXT records that cover the name, `resources` the objects that they name, by
    record type; `rivals` say what others' marks are there. `plain` means that the marks are those
    that follow from the records: one each, in the newest format, with nothing more to say.
    """

    ours: list[Record] = field(default_factory=list)
    marks: list[Record] = field(default_factory=list)
    foreign: list[Record] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)
    rivals: list[str] = field(default_factory=list)
    plain: bool = True

    @property
    def resource(self) -> str:
        """Return the object that the name was written for; "" where no mark tells."""
        return self.resources[min(self.resources)] if self.resources else ""

    def take(self, record: Record, texts: Sequence[Text], *, newest: bool) -> None:
        """Add a record of ours and the marks that cover it."""
        self.ours.append(record)
        for mark, text in texts:
            self._asked_for(record["type"], mark.resource if mark else "")
            if not any(text is known for known in self.marks):
                self.plain &= newest and len(texts) == 1 and _is_plain(mark, text)
                self.marks.append(text)

    def widow(self, kind: str, text: Record, mark: Mark) -> None:
        """Add a mark of ours that covers no record here: somebody deleted it, or it is too many."""
        self.plain = False
        self.marks.append(text)
        if not self.ours:
            self._asked_for(kind, mark.resource)

    def _asked_for(self, kind: str, resource: str) -> None:
        # Two marks of ours may name two objects: the listing's order must not decide.
        self.resources[kind] = min(resource, self.resources.get(kind, resource))


def _is_plain(mark: Mark | None, text: Record) -> bool:
    said = text.get("ttl", AUTOMATIC) != AUTOMATIC or text.get("comment") or text.get("tags")
    return not said and not (mark and mark.labels)


@lru_cache(maxsize=50_000)
def spelled(target: str) -> tuple[str, str]:
    """Return a target's record type, as ExternalDNS chooses it, and its canonical form."""
    try:
        address = ip_address(target)
    except ValueError:
        return "CNAME", target.lower().removesuffix(".")
    return "A" if address.version == 4 else "AAAA", str(address)  # noqa: PLR2004 - IPv4


def held_by_name(zone: ZoneConfig, records: Iterable[Record]) -> dict[str, Held]:
    """Sort a zone's records by name into ours and others'; marks are neither."""
    names, owner = zone.marks, zone.owner
    texts, rest = sorted_out(names, records)
    held: defaultdict[str, Held] = defaultdict(Held)
    used: set[str] = set()
    for record in rest:
        host, kind = record["name"].lower(), record["type"]
        candidates = names.candidates(host, kind) if kind in ANSWERS else ()
        name = next((name for name in candidates if name in texts), "")
        if name and all(mark and mark.owner == owner for mark, _ in texts[name]):
            held[host].take(record, texts[name], newest=name == candidates[0])
            used.add(name)
        else:
            held[host].foreign.append(record)
    for name in texts.keys() - used:
        for host, kind in _covered(names, name):
            for mark, text in texts[name]:
                if mark and mark.owner == owner:
                    held[host].widow(kind, text, mark)
                else:
                    held[host].rivals.append(_rival(name, mark))
    return dict(held)


def sorted_out(
    names: MarkNames, records: Iterable[Record]
) -> tuple[dict[str, list[Text]], list[Record]]:
    """Return the marks by name, and the records that are none."""
    texts: dict[str, list[Text]] = {}
    rest: list[Record] = []
    for record in records:
        if record["type"] == "TXT":
            name = record["name"].lower()
            mark = Mark.parse(record["content"])
            if mark or _is_sealed(names, name, record["content"]):
                texts.setdefault(name, []).append((mark, record))
                continue
        rest.append(record)
    return texts, rest


def _is_sealed(names: MarkNames, name: str, content: str) -> bool:
    """Say whether a text is a mark that cannot be read: encrypted, under a name for a type."""
    covered = names.covered(name) if is_encrypted(content) else None
    return bool(covered and covered[1])


def _covered(names: MarkNames, mark: str) -> Iterator[tuple[str, str]]:
    """Yield each name, with its type, that a mark may cover: a replaced wildcard is two."""
    if covered := names.covered(mark):
        yield covered
        if wild := names.wild(covered[0]):
            yield wild, covered[1]


def _rival(name: str, mark: Mark | None) -> str:
    return f"{name} marks it for {mark.owner or 'nobody'}" if mark else f"{name} cannot be read"


def part_of(record: Record) -> dict[str, Any]:
    """Return a record as changes carry it; comment and tags only where there are any."""
    part: dict[str, Any] = {
        "type": record["type"],
        "content": spelled(record["content"])[1],
        "ttl": record["ttl"],
        "proxied": bool(record["proxied"]),
    }
    if record.get("comment"):
        part["comment"] = record["comment"]
    if record.get("tags"):
        part["tags"] = sorted(record["tags"])
    return part


def mark_of(text: Record) -> dict[str, Any]:
    """Return a mark as changes carry it; what is usual of it is left out."""
    mark = Mark.parse(text["content"])
    entry: dict[str, Any] = {
        "name": text["name"].lower(),
        "content": mark.value if mark else text["content"],
    }
    if text.get("ttl", AUTOMATIC) != AUTOMATIC:
        entry["ttl"] = text["ttl"]
    if text.get("comment"):
        entry["comment"] = text["comment"]
    if text.get("tags"):
        entry["tags"] = sorted(text["tags"])
    return entry


def value_of(held: Held | None) -> dict[str, Any] | None:
    """Return a name's value as changes carry it; None when nothing there is ours."""
    if not held or not held.ours:
        return None
    value = valued(map(part_of, held.ours), held.resource)
    if not held.plain or len(set(held.resources.values())) > 1:
        value["marks"] = sorted(map(mark_of, held.marks), key=in_order)
    return value


def valued(parts: Iterable[dict[str, Any]], resource: str) -> dict[str, Any]:
    """Return a value of records in order, its marks those that follow from it."""
    return {"records": sorted(parts, key=in_order), "resource": resource}


def in_order(part: Mapping[str, Any]) -> tuple[str, str]:
    """Return by what records and marks are ordered."""
    return part.get("type") or part["name"], part["content"]
