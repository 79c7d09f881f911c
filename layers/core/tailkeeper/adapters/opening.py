"""How a planning state begins and ends: the world from its observations, its change in the journal.

Shared by what plans a Converge and what plans the change that a person orders.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.memory import Memories
from tailkeeper.config import Config
from tailkeeper.git.foresight import foresee
from tailkeeper.git.remembering import explained
from tailkeeper.moments import rfc3339
from tailkeeper.proof.expectations import batches_of, targets_of
from tailkeeper.world import World


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.adapters.stack import Stack
    from tailkeeper.model import Plan

PROBES_BUDGET = 30_000
SHOWN = 100


def observed_world(
    stack: Stack,
    config: Any,
    packed: Mapping[str, Any],
    devices: Iterable[str] = (),
    approved: Iterable[str] = (),
) -> World:
    """Return the world from the readers' packed observations.

    `devices` are those that events told of, `approved` the digests that people let through.
    """
    observed = {name: stack.artifacts.unpack(part) for name, part in packed.items()}
    read = Config.from_json(config)
    clusters = {document["cluster"]: document for document in observed["cluster"]}
    memory = Memories(stack).load(git=bool(read.repositories))
    commits = observed.get("git")
    foresight = foresee(clusters, commits, memory.commits, read) if commits else None
    return World(
        config=read,
        tailnet_document=observed["tailnet"],
        clusters=clusters,
        zones=observed["zones"],
        resolvers=observed["resolver"],
        memory=memory,
        event_nodes=frozenset(devices),
        decisions=stack.decisions.known(),
        approved=frozenset(approved),
        pending=explained(memory.pending, foresight.vanished if foresight else {}),
        foresight=foresight,
    )


def probes(stack: Stack, world: World, plan: Plan | None) -> list[dict[str, Any]]:
    """Return the packed batches of targets: of the plan, or of the world as it is."""
    batches = batches_of(world, targets_of(world, plan))
    budget = PROBES_BUDGET // max(len(batches), 1)
    return [stack.artifacts.pack(batch, "probes", budget=budget) for batch in batches]


def opened(
    stack: Stack, change_id: str, run: Mapping[str, Any], causes: Iterable[Any], **more: Any
) -> dict[str, Any]:
    """Open the change, or go on with it; return its baseline, if one was kept."""
    standing = stack.journal.head(change_id) or {}
    # A round sees the causes of those before it again, and a state that is tried again its own.
    named = [*standing.get("causes", []), *causes]
    head = {
        "causes": [cause for n, cause in enumerate(named) if cause not in named[:n]][:SHOWN],
        "execution": run["holder"],
        "started": standing.get("started", run["started"]),
        "planned": rfc3339(time.time()),
        **more,
    }
    stack.journal.begin(change_id, head)
    return {"baseline": standing["baseline"]} if standing.get("baseline") else {}


def id_of(run: Mapping[str, Any]) -> str:
    """Return the change id of a run: when it started, and a part of its name's hash."""
    when = "".join(c for c in run["started"][:19] if c.isdigit())
    return f"{when[:8]}-{when[8:]}-{sha256(run['holder'].encode()).hexdigest()[:6]}"
