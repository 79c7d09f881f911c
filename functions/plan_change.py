"""State Plan Change: from what was observed to a judged plan, and the proof's targets."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.memory import Memories
from tailkeeper.adapters.opening import id_of, observed_world, opened, probes
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.zone_memory import remember_listings
from tailkeeper.carriers.device_changes import compare
from tailkeeper.decisions.news import over
from tailkeeper.git.planning import plan_commits
from tailkeeper.git.pushes import Push
from tailkeeper.model import SURFACES, Cause
from tailkeeper.summary import counts_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.config import Config
    from tailkeeper.planning import Draft
    from tailkeeper.world import World

NAMED_CAUSES = 3
logger = Logger(service="plan-change")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {settling} while observing again is worth it, else the packed plan and counts."""
    stack().lease(event["run"])
    gathered = event["gathered"]
    world = observed_world(
        stack(), event["config"], event["observed"], gathered["devices"], gathered["approved"]
    )
    if world.unsettled and is_patient(event, world.config):
        logger.info("settling", extra={"why": world.unsettled})
        return {"settling": True, "why": list(world.unsettled)}
    now = time.time()
    period = float(os.environ["SWEEP_SECONDS"])
    draft = plan_commits(world, gathered["surfaces"], now, period)
    if not event["run"]["dry_run"] or event["run"].get("sweep"):
        Memories(stack()).save(world, draft.plan, now)
        remember_listings(stack(), world, now)
        read = set(gathered["surfaces"]) - draft.unread.keys()
        stack().decisions.lift(over(draft.plan, world.decisions, read))
    answer = planned(event, world, draft)
    return {**answer, **device_news(world, now, period)} if event["run"].get("sweep") else answer


def is_patient(event: dict[str, Any], config: Config) -> bool:
    """Return whether a run may look again; a dry run and a sweep say what they see at once."""
    return not event["run"]["dry_run"] and bool(event["waited"] < config.budgets.settle)


def planned(event: dict[str, Any], world: World, draft: Draft) -> dict[str, Any]:
    """Return the answer of the state; open the change in the journal if there is one to make."""
    adopted = event["gathered"]["adopted"]
    change_id = adopted or id_of(event["run"])
    applied = draft.plan.with_word("apply") if draft.plan else ()
    go = bool(applied or adopted)
    answer: dict[str, Any] = {
        "settling": False,
        "change_id": change_id,
        "apply": go,
        "apply_counts": {s: sum(c.surface == s for c in applied) for s in SURFACES},
        "counts": counts_of(draft.plan),
        "unread": dict(draft.unread),
        "remembered": [name for name, zone in world.zones.items() if not zone.get("listed", True)],
        "reports": list(draft.reports[:20]),
        "troubles": list(world.foresight.troubles[:5]) if world.foresight else [],
        "missed": missed(world, event["gathered"].get("pushes", ())),
        "plan": stack().artifacts.pack_each(caused(draft, event["gathered"]["causes"]), "plans"),
        "probes": [],
    }
    logger.info("planned", extra={"change": change_id, **answer["counts"]})
    if event["run"].get("sweep"):
        answer["probes"] = probes(stack(), world, None)
    elif go and not event["run"]["dry_run"]:
        answer["probes"] = probes(stack(), world, draft.plan)
        answer |= opened(stack(), change_id, event["run"], event["gathered"]["causes"])
    return answer


def missed(world: World, pushes: Iterable[dict[str, str]]) -> list[str]:
    """Return the places of pushes that no reader could read, and which may be read later."""
    if world.foresight is not None:
        return list(world.foresight.missed)
    told = (Push.from_json(push) for push in pushes)
    return [push.place for push in told if world.config.repositories_of(*push[:3])]


def device_news(world: World, now: float, period: float) -> dict[str, Any]:
    """Return what happened to the carriers' devices since the last sweep; `table` is None for none.

    Judge Sweep remembers the table, once somebody is told of what happened.
    """
    memories = Memories(stack())
    known = memories.devices()
    compared = compare(known, world, now, period)
    if compared is None or compared.table == known:
        return {"devices": {"changes": {}, "table": None}}
    table = stack().artifacts.pack(compared.table, "devices")
    return {"devices": {"changes": dict(compared.changes), "table": table}}


def caused(draft: Draft, causes: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield the plan's changes as JSON, with the first three causes on each."""
    named = [Cause.from_json(cause) for cause in causes[:NAMED_CAUSES]]
    for change in draft.plan.because(named).changes if draft.plan else ():
        yield change.as_json()
