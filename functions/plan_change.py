"""State Plan Change: from four observations to a judged plan, and the proof's targets."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.memory import Memories
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config
from tailkeeper.expectations import batches_of, targets_of
from tailkeeper.model import SURFACES, Cause
from tailkeeper.moments import rfc3339
from tailkeeper.planning import plan_world
from tailkeeper.summary import counts_of
from tailkeeper.world import World


if TYPE_CHECKING:
    from tailkeeper.planning import Draft

PROBES_BUDGET = 30_000
NAMED_CAUSES = 3
SHOWN = 100
logger = Logger(service="plan-change")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {settling} while observing again is worth it, else the packed plan and counts."""
    stack().lease(event["run"])
    world = observed_world(event)
    if world.unsettled and is_patient(event, world.config):
        logger.info("settling", extra={"why": world.unsettled})
        return {"settling": True, "why": list(world.unsettled)}
    now = time.time()
    draft = plan_world(world, event["gathered"]["surfaces"], now)
    if not event["run"]["dry_run"] or event["run"].get("sweep"):
        Memories(stack().table).save(world, draft.plan, now)
    return planned(event, world, draft)


def is_patient(event: dict[str, Any], config: Config) -> bool:
    """Return whether a run may look again; a dry run and a sweep say what they see at once."""
    return not event["run"]["dry_run"] and bool(event["waited"] < config.budgets.settle)


def observed_world(event: dict[str, Any]) -> World:
    """Return the world from the readers' packed observations."""
    observed = {name: stack().artifacts.unpack(p) for name, p in event["observed"].items()}
    return World(
        config=Config.from_json(event["config"]),
        tailnet_document=observed["tailnet"],
        clusters={document["cluster"]: document for document in observed["cluster"]},
        zones=observed["zones"],
        resolvers=observed["resolver"],
        memory=Memories(stack().table).load(),
        event_nodes=frozenset(event["gathered"]["devices"]),
    )


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
        "reports": list(draft.reports[:20]),
        "plan": pack(caused(draft, event["gathered"]["causes"]), "plans"),
        "probes": [],
    }
    logger.info("planned", extra={"change": change_id, **answer["counts"]})
    if event["run"].get("sweep"):
        answer["probes"] = probes(world, None)
    elif go and not event["run"]["dry_run"]:
        answer["probes"] = probes(world, draft)
        answer |= opened(event, answer)
    return answer


def caused(draft: Draft, causes: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the plan as JSON, with the first three causes on each change."""
    named = [Cause.from_json(cause) for cause in causes[:NAMED_CAUSES]]
    return draft.plan.because(named).as_json() if draft.plan else []


def probes(world: World, draft: Draft | None) -> list[dict[str, Any]]:
    """Return the packed batches of targets: of the plan, or of the world as it is."""
    batches = batches_of(world, targets_of(world, draft.plan if draft else None))
    budget = PROBES_BUDGET // max(len(batches), 1)
    return [pack(batch, "probes", budget=budget) for batch in batches]


def opened(event: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Open the change, or go on with it; return its baseline, if one was kept."""
    journal, change_id = stack().journal, answer["change_id"]
    standing = journal.head(change_id) or {}
    # A round sees the causes of those before it again, and a state that is tried again its own.
    causes = [*standing.get("causes", []), *event["gathered"]["causes"]]
    head = {
        "causes": [cause for n, cause in enumerate(causes) if cause not in causes[:n]][:SHOWN],
        "execution": event["run"]["holder"],
        "started": standing.get("started", event["run"]["started"]),
        "planned": rfc3339(time.time()),
    }
    journal.begin(change_id, head)
    return {"baseline": standing["baseline"]} if standing.get("baseline") else {}


def id_of(run: dict[str, Any]) -> str:
    """Return the change id of a run: when it started, and a part of its name's hash."""
    when = "".join(c for c in run["started"][:19] if c.isdigit())
    return f"{when[:8]}-{when[8:]}-{sha256(run['holder'].encode()).hexdigest()[:6]}"


def pack(document: Any, folder: str, **budget: int) -> dict[str, Any]:
    """Return the document inline or as a pointer."""
    return stack().artifacts.pack(document, folder, **budget)
