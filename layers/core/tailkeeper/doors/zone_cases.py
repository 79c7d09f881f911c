"""One zone, planned by hand: Cloudflare's records and wishes in, changes and batches out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.config import ConfigError, Problem, ZoneConfig
from tailkeeper.config.problems import UnfitError, dns_name
from tailkeeper.config.reading import Section
from tailkeeper.hostnames import within
from tailkeeper.model import Plan
from tailkeeper.records.batches import packed
from tailkeeper.records.claims import zone_wanted
from tailkeeper.records.edits import edit_of
from tailkeeper.records.fitting import PLANS, limits_of
from tailkeeper.records.surface import AUTOMATIC, Held, Wanted, held_by_name, plan_zone
from tailkeeper.records.wire import trimmed


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.model import Change

LONGEST_TTL = 2_147_483_647


def zone_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return {plan, batches, reports}; changes with an obstacle are in no batch.

    Raise ConfigError with everything that is wrong with the case.
    """
    problems: list[Problem] = []
    section = Section(document, (), problems)
    zone = ZoneConfig.read(section.section("zone"))
    claims: dict[str, list[Wanted]] = {}
    for element in section.sections("wanted"):
        wanted = _wanted(element, zone)
        claims.setdefault(wanted.host, []).append(wanted)
    protected = section.texts("protected", like="www.example.com", check=dns_name)
    tier = section.choice("cloudflare_plan", PLANS, "free")
    records = [_record(wire, place) for place, wire in enumerate(section.sections("records"))]
    section.finish()
    if problems:
        raise ConfigError(problems)
    held = held_by_name(zone, records)
    reports: list[str] = []
    answers = zone_wanted(claims, held, tier, reports)
    plan = Plan.of(plan_zone(zone, held, answers, protected))
    return {
        "plan": plan.as_json() if plan else None,
        "batches": _batches(zone, held, plan.changes if plan else (), tier),
        "reports": reports,
    }


def _batches(
    zone: ZoneConfig, held: Mapping[str, Held], changes: Iterable[Change], tier: str
) -> list[Any]:
    free = (change for change in changes if not change.obstacle)
    edits = (edit_of(zone, change, held.get(change.key, Held())) for change in free)
    return [batch.body for batch in packed(edits, limits_of(tier).operations)]


def _wanted(section: Section, zone: ZoneConfig) -> Wanted:
    host = section.text("host", like=f"app.{zone.name}", check=dns_name)
    if host and not within(host, zone.name):
        section.blame(("host",), f"is {host}", f"write a name within {zone.name}")
    resource = section.text("resource", "")
    ttl = section.whole("ttl", 0, least=0, most=LONGEST_TTL)
    wanted = Wanted(
        host,
        section.texts("targets", like="gateway.example.ts.net", needed=True, check=_target),
        resource,
        section.text("source", resource.partition("/")[0]),
        gateway=section.text("gateway", ""),
        former=frozenset(section.texts("former", like="old.example.ts.net")),
        ttl=ttl or (zone.ttl if zone.ttl != AUTOMATIC else None),
        proxied=section.flag("proxied", default=zone.proxied),
        comment=section.text("comment", "") if section.holds("comment") else None,
        tags=section.texts("tags", like="team:web"),
    )
    section.finish()
    return wanted


def _target(value: str) -> str:
    """Return an address or a name; raise UnfitError for what cannot be either."""
    if any(letter.isspace() or letter == "," for letter in value):
        raise UnfitError(f"is {value!r}", "write one address or name, as gateway.example.ts.net")
    return value


def _record(section: Section, place: int) -> dict[str, Any]:
    """Read a record as Cloudflare's API gives it; an id that is missing is made up."""
    return trimmed(
        {
            "id": section.text("id", f"record-{place}"),
            "name": section.text("name", like="app.example.com"),
            "type": section.text("type", like="CNAME"),
            "content": section.text("content", ""),
            "ttl": section.whole("ttl", AUTOMATIC, least=0, most=LONGEST_TTL),
            "proxied": section.flag("proxied", default=False),
            "comment": section.text("comment", ""),
            "tags": list(section.texts("tags", like="team:web")),
        }
    )
