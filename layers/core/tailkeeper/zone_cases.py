"""One zone, planned by hand: Cloudflare's records and wishes in, changes and batches out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tailkeeper.claims import zone_wanted
from tailkeeper.config import ConfigError, Problem, ZoneConfig
from tailkeeper.config.problems import dns_name
from tailkeeper.config.reading import Section
from tailkeeper.edits import packed
from tailkeeper.fitting import PLANS, limits_of
from tailkeeper.hostnames import within
from tailkeeper.model import Plan
from tailkeeper.record_edits import edit_of
from tailkeeper.records import AUTOMATIC, Held, Wanted, held_by_name, plan_zone
from tailkeeper.wire import trimmed


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.model import Change

LONGEST_TTL = 2_147_483_647


def zone_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return {plan, batches, reports}; changes with an obstacle are in no batch.

    Raise ConfigError with everything that is wrong with the case.
    """
    problems: list[Problem] = []
    section = Section({**document, "records": None}, (), problems)
    zone = ZoneConfig.read(section.section("zone"))
    claims: dict[str, list[Wanted]] = {}
    for element in section.sections("wanted"):
        wanted = _wanted(element, zone)
        claims.setdefault(wanted.host, []).append(wanted)
    protected = section.texts("protected", like="www.example.com", check=dns_name)
    tier = section.choice("cloudflare_plan", PLANS, "free")
    section.sections("records")
    section.finish()
    records = _records(document.get("records") or [], problems)
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
        section.texts("targets", like="gateway.example.ts.net"),
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


def _records(wires: Any, problems: list[Problem]) -> list[dict[str, Any]]:
    """Read Cloudflare's records; an id that is missing is made up."""
    records = []
    for place, wire in enumerate(wires if isinstance(wires, list) else [wires]):
        if isinstance(wire, Mapping) and isinstance(wire.get("name"), str) and wire.get("type"):
            records.append(trimmed({"id": f"record-{place}", **wire}))
        else:
            remedy = 'write it as {"name", "type", "content", "ttl", "proxied"}'
            problems.append(Problem(("records", place), "is no record", remedy))
    return records
