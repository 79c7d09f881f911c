"""The list's filters, as the API documents them: case-insensitive, joined by `match`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.cloudflare.errors import invalid


if TYPE_CHECKING:
    from sandbox.cloudflare.zones import Record, Zone

Wire = dict[str, Any]
Test = Callable[[Wire], bool]

COMPARE: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda have, want: have == want,
    "contains": lambda have, want: want in have,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
ORDERS = ("type", "name", "content", "ttl", "proxied")


def chosen(zone: Zone, query: Mapping[str, str]) -> list[Record]:
    """Return the zone's records that the query asks for, in the order it asks for."""
    records = _ordered(_candidates(zone, query), query)
    wanted = _wanted(query)
    return [record for record in records if wanted(record.wire)] if wanted else records


def _candidates(zone: Zone, query: Mapping[str, str]) -> list[Record]:
    """Use the index by name where the query pins one."""
    name = query.get("name.exact", query.get("name"))
    if name is None or query.get("match", "all") != "all":
        return zone.records
    return zone.named(name.lower().removesuffix("."))


def _ordered(records: list[Record], query: Mapping[str, str]) -> list[Record]:
    order, direction = query.get("order", "type"), query.get("direction", "asc")
    if order not in ORDERS or direction not in {"asc", "desc"}:
        raise invalid(9207, f"order must be one of {', '.join(ORDERS)}, direction asc or desc.")
    if (order, direction) == ("type", "asc"):
        return records
    return sorted(records, key=lambda r: r.wire[order], reverse=direction == "desc")


def _wanted(query: Mapping[str, str]) -> Test | None:
    tests = [_text_test(key, want) for key, want in query.items() if _is_text_filter(key)]
    if "type" in query:
        tests.append(lambda wire: bool(wire["type"] == query["type"]))
    if "proxied" in query:
        tests.append(lambda wire: wire["proxied"] is (query["proxied"] == "true"))
    tags = [_tag_test(key[4:], want) for key, want in query.items() if key.startswith("tag.")]
    if tags:
        tests.append(_joined(tags, query.get("tag_match", "all")))
    found = [_joined(tests, query.get("match", "all"))] if tests else []
    if "search" in query:
        found.append(lambda wire: query["search"].lower() in _searchable(wire))
    return _joined(found, "all") if found else None


def _joined(tests: Iterable[Test], match: str) -> Test:
    together = list(tests)
    if match not in {"any", "all"}:
        raise invalid(9207, "match must be any or all.")
    return lambda wire: (any if match == "any" else all)(test(wire) for test in together)


def _is_text_filter(key: str) -> bool:
    field, _, how = key.partition(".")
    return field in {"name", "content", "comment"} and (
        how in {"", *COMPARE} or (field == "comment" and how in {"absent", "present"})
    )


def _text_test(key: str, want: str) -> Test:
    field, _, how = key.partition(".")
    if how in {"absent", "present"}:
        return lambda wire: bool(wire[field]) is (how == "present")
    compare, small = COMPARE[how or "exact"], want.lower()
    return lambda wire: compare((wire[field] or "").lower(), small)


def _tag_test(how: str, want: str) -> Test:
    name, _, value = want.lower().partition(":")
    if how in {"absent", "present"}:
        return lambda wire: any(key == name for key, _ in _tags(wire)) is (how == "present")
    if how not in COMPARE:
        raise invalid(9207, f"tag.{how} is not a filter.")
    compare = COMPARE[how]
    return lambda wire: any(key == name and compare(have, value) for key, have in _tags(wire))


def _tags(wire: Wire) -> list[tuple[str, str]]:
    parts = (tag.lower().partition(":") for tag in wire["tags"])
    return [(name, value) for name, _, value in parts]


def _searchable(wire: Wire) -> str:
    return "\n".join(
        [wire["name"], wire["type"], wire["content"], wire["comment"] or "", *wire["tags"]]
    ).lower()
