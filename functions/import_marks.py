"""State Import Marks: what a zone shows of an owner, and what passes its marks to another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.opening import id_of, observed_world, opened
from tailkeeper.adapters.stack import stack
from tailkeeper.coexistence.rivals import external_dns_writers
from tailkeeper.model import SURFACES, Cause, Plan, Verdict
from tailkeeper.records.migration import survey
from tailkeeper.summary import counts_of


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.config import ZoneConfig
    from tailkeeper.records.migration import Survey
    from tailkeeper.world import World

logger = Logger(service="import-marks")


class BadRequest(Exception):
    """What was asked for cannot be done in this configuration."""


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return what Plan Change returns, and `survey`, packed: one for each zone.

    `marks` is {owner, as, zone}; "" stands for the owner that the zone is configured with, without
    `zone` all zones are meant. Nothing is probed, since no record changes.
    """
    stack().lease(event["run"])
    world = observed_world(stack(), event["config"], event["observed"])
    asked = event["marks"]
    zones = [zone for zone in world.config.zones if asked.get("zone", zone.name) == zone.name]
    if not zones:
        known = ", ".join(zone.name for zone in world.config.zones) or "none"
        raise BadRequest(f"{asked.get('zone')} is no configured zone; there are: {known}")
    read = {zone.name: world.zones[zone.name]["why"] for zone in zones}
    found = [surveyed(world, zone, asked) for zone in zones if not read[zone.name]]
    causes = [Cause.from_json(cause) for cause in event["causes"]]
    plan = Plan.of(change for _, changes in found for change in changes)
    plan = plan.because(causes) if plan else None
    answer = answered(event, plan, [document for document, _ in found])
    whys = "; ".join(f"{name}: {why}" for name, why in read.items() if why)
    answer["unread"] = {"records": whys} if whys else {}
    if plan and not event["run"]["dry_run"]:
        answer["change_id"] = begun(event)
    logger.info("surveyed", extra=answer["counts"])
    return answer


def surveyed(
    world: World, zone: ZoneConfig, asked: dict[str, str]
) -> tuple[dict[str, Any], list[Any]]:
    """Return a zone's survey as JSON, and its judged changes."""
    owner, successor = asked["owner"] or zone.owner, asked["as"] or zone.owner
    if owner == successor or zone.owner not in {owner, successor}:
        words = f"marks pass to or from {zone.owner}, the owner of {zone.name} in tailkeeper.yaml"
        raise BadRequest(f"{words}: not from {owner} to {successor}")
    seen = survey(zone, world.zones[zone.name]["records"], owner, successor)
    running = writer_of(world, zone, owner)
    document = {**seen.as_json(), "as": successor, "running": running}
    return document, list(judged(seen, running, successor))


def writer_of(world: World, zone: ZoneConfig, owner: str) -> str:
    """Return the ExternalDNS that runs with an owner id and writes the zone, or ""."""
    claimed = replace(zone, owner=owner, take_over=False)
    there = replace(world, config=replace(world.config, zones=(claimed,)))
    return external_dns_writers(there).get(zone.name, "")


def judged(seen: Survey, running: str, successor: str) -> Iterable[Any]:
    """Yield the changes: held while the owner itself is at work, which would bring them back."""
    word = Verdict("apply", 0, (f"passes from {seen.owner} to {successor}",))
    if running:
        word = Verdict("hold", 2, (f"{running} is at work on {seen.zone}",))
    return (change.judged(word) for change in seen.changes)


def answered(
    event: dict[str, Any], plan: Plan | None, surveys: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer of the state; nothing is written down yet."""
    applied = plan.with_word("apply") if plan else ()
    return {
        "change_id": id_of(event["run"]),
        "apply": bool(applied),
        "apply_counts": {s: sum(c.surface == s for c in applied) for s in SURFACES},
        "counts": counts_of(plan),
        "reports": [],
        "plan": stack().artifacts.pack(plan.as_json() if plan else [], "plans"),
        "probes": [],
        "survey": stack().artifacts.pack(surveys, "surveys"),
    }


def begun(event: dict[str, Any]) -> str:
    """Open the change; what a dead run left open is closed as failed."""
    change_id = id_of(event["run"])
    why = f"its run died; {change_id} came before another one went on"
    stack().journal.abandon(why, but=change_id)
    opened(stack(), change_id, event["run"], event["causes"])
    return change_id
