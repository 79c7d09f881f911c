"""A zone that ExternalDNS keeps, taken over or given back: its marks pass to another owner.

No record is changed. A mark passes on if it covers a record whose deciding mark is that owner's,
under a name that the zone's configuration knows (txt_prefix, txt_suffix, txt_wildcard); every other
one is told with why, and stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tailkeeper.ownership import Mark, MarkNames
from tailkeeper.records.mark_edits import passed_on
from tailkeeper.records.surface import ANSWERS, held_by_name


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change
    from tailkeeper.records.surface import Held

    Record = Mapping[str, Any]
    Names = Mapping[str, list[Record]]

SAMPLE, LIKELY = 20, 5  # uncovered marks of which a setting is guessed; guesses that are tried


@dataclass(frozen=True)
class Survey:
    """What a zone shows of one owner; `changes` are the marks that can pass on.

    `names` are {host, types, targets, resource, format}, where format is typed, legacy or both;
    `left` are {mark, why}; `others` counts names that are not this owner's, by owner ("" without a
    mark); `hint` is the setting under which more marks would cover a record, or "".
    """

    zone: str
    owner: str
    names: tuple[dict[str, Any], ...]
    left: tuple[dict[str, str], ...]
    others: Mapping[str, int]
    hint: str
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the survey as people and scripts read it."""
        return {
            "zone": self.zone,
            "owner": self.owner,
            "names": list(self.names),
            "left": list(self.left),
            "others": dict(self.others),
            "hint": self.hint,
            "marks": len(self.changes),
        }


def survey(zone: ZoneConfig, records: Iterable[Record], owner: str, successor: str) -> Survey:
    """Return what the zone shows of an owner, and what passes its marks to the successor."""
    seen = _by_name(records)
    everything = [record for name in sorted(seen) for record in seen[name]]
    held = held_by_name(replace(zone, owner=owner), everything)
    ours = {host: names for host, names in sorted(held.items()) if names.ours}
    covering = {mark["id"] for names in ours.values() for mark in names.marks}
    marks = [record for record in everything if _owner_of(record) == owner]
    whys = {mark["id"]: _why_left(zone, mark, covering, seen) for mark in marks}
    return Survey(
        zone.name,
        owner,
        tuple(_shown(zone, host, names) for host, names in ours.items()),
        tuple({"mark": m["name"], "why": whys[m["id"]]} for m in marks if whys[m["id"]]),
        _others(zone, ours, seen),
        _hint(zone, [mark["name"] for mark in marks if mark["id"] not in covering], seen),
        tuple(passed_on(zone.name, mark, successor) for mark in marks if not whys[mark["id"]]),
    )


def _by_name(records: Iterable[Record]) -> dict[str, list[Record]]:
    names: defaultdict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: str(record["type"])):
        names[record["name"]].append(record)
    return dict(names)


def _owner_of(record: Record) -> str | None:
    mark = Mark.parse(record["content"]) if record["type"] == "TXT" else None
    return mark.owner if mark else None


def _why_left(zone: ZoneConfig, mark: Record, covering: set[str], seen: Names) -> str:
    """Say why a mark does not pass on, or ""."""
    if sum(_owner_of(record) is not None for record in seen[mark["name"]]) > 1:
        return "several marks have this name: which of them decides is not sure"
    if mark["id"] in covering:
        return ""
    covered = zone.marks.covered(mark["name"])
    if not covered:
        return "its name is none that this zone's marks have: see txt_prefix and txt_suffix"
    host, kind = covered
    types = {r["type"] for r in seen.get(host, ()) if not kind or r["type"] == kind}
    if types & ANSWERS:
        return f"{host} is decided by a mark of another owner"
    if types - {"TXT"}:
        return f"{host} is {', '.join(sorted(types - {'TXT'}))}, which tailkeeper does not keep"
    return f"it covers nothing: {host} has no such record"


def _shown(zone: ZoneConfig, host: str, held: Held) -> dict[str, Any]:
    formats = {(zone.marks.covered(mark["name"]) or ("", ""))[1] != "" for mark in held.marks}
    return {
        "host": host,
        "types": sorted({record["type"] for record in held.ours}),
        "targets": sorted(record["content"] for record in held.ours),
        "resource": held.resource,
        "format": "both" if len(formats) > 1 else "typed" if True in formats else "legacy",
    }


def _answers(seen: Names) -> dict[str, str]:
    """Return the type of each name that has an answer."""
    found = (record for records in seen.values() for record in records)
    return {record["name"]: record["type"] for record in found if record["type"] in ANSWERS}


def _others(zone: ZoneConfig, ours: Mapping[str, Held], seen: Names) -> dict[str, int]:
    """Count the names with answers that are not this owner's, by the owner of their mark."""
    found: Counter[str] = Counter()
    for host, kind in _answers(seen).items():
        texts = (
            record for name in zone.marks.candidates(host, kind) for record in seen.get(name, ())
        )
        owners = (owner for text in texts if (owner := _owner_of(text)) is not None)
        if host not in ours:
            found[next(owners, "")] += 1
    return dict(found)


def _hint(zone: ZoneConfig, uncovered: list[str], seen: Names) -> str:
    """Return the setting under which most of the uncovered marks would cover a record."""
    hosts = _answers(seen)
    guesses = Counter(
        guess
        for mark in uncovered[:SAMPLE]
        for host, kind in hosts.items()
        for guess in _guesses(mark, host, kind)
    )
    likely = [("txt_prefix", ""), *(guess for guess, _ in guesses.most_common(LIKELY))]
    counts = {guess: _covering(zone, *guess, uncovered, hosts) for guess in likely}
    (setting, affix), count = max(counts.items(), key=lambda item: item[1])
    return (
        f'{setting}: "{affix}" would let {count} more of its marks cover a record' if count else ""
    )


def _covering(
    zone: ZoneConfig, setting: str, affix: str, marks: list[str], hosts: Mapping[str, str]
) -> int:
    """Count the marks that would cover an answer, were this the zone's only affix."""
    prefix, suffix = (affix, "") if setting == "txt_prefix" else ("", affix)
    names = MarkNames(prefix, suffix, zone.txt_wildcard)
    found = filter(None, map(names.covered, marks))
    return sum(host in hosts and kind in {"", hosts[host]} for host, kind in found)


def _guesses(mark: str, host: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the (setting, affix) under which a mark's name covers a host."""
    first, _, rest = host.partition(".")
    for label in (f"{kind.lower()}-{first}", first):
        prefix = mark.removesuffix(f"{label}.{rest}")
        if prefix not in {"", mark, f"{kind.lower()}-"}:
            yield "txt_prefix", prefix.removesuffix(f"{kind.lower()}-")
        suffix = mark.removeprefix(label).removesuffix(f".{rest}")
        if mark == f"{label}{suffix}.{rest}" and suffix:
            yield "txt_suffix", suffix
