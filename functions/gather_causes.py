"""State Gather Causes: what waits for this run, and whether a crashed one left a change open."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config
from tailkeeper.git.pushes import pushes_of
from tailkeeper.model import SURFACES, Cause


SHOWN, NODES, BRANCHES, APPROVED = 20, 200, 20, 300
TOLD = frozenset({"tailscale", "git", "flux"})  # what they are about is known
logger = Logger(service="gather-causes")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return what the run is about, as docs/documents.md has it.

    `asked` is read before the causes. `causes` are the first twenty, `devices` the node ids that
    events told of, `approved` the first digests that people let through (they stand in the table),
    `pushes` the latest commit of each branch, `adopted` the id of an open change of a run that
    died; `listing` says whether zones must be read whole: some cause does not tell what it is
    about, or is for exactly what was seen. A dry run gathers nothing but its own causes; `proposed`
    says that one of them is a pull request.
    """
    run = event["run"]
    if not run["fence"]:
        causes = [Cause.from_json(cause) for cause in event["causes"]]
        approved = [d for c in approvals(causes) for d in stack().decisions.digests_of(c)]
        return gathered(causes, event["surfaces"], approved) | proposals(causes)
    lease = stack().lease(run).renew()
    waiting = stack().causes.waiting()
    if waiting:
        stack().causes.take(run["name"], event["round"], [entry.key for entry in waiting])
    surfaces = {surface for entry in waiting for surface in entry.surfaces}
    causes = [entry.cause for entry in waiting]
    within = Config.from_json(event["config"]).budgets.decide
    approved = [d for c in approvals(causes) for d in stack().decisions.approve(c, within)]
    answer = gathered(causes, surfaces, approved)
    return {**answer, "asked": lease["asked"], "adopted": stack().journal.open_change()}


def gathered(causes: list[Cause], surfaces: Any, approved: list[str]) -> dict[str, Any]:
    """Return the answer of the state, as of a dry run."""
    logger.info("gathered", extra={"causes": len(causes), "approved": len(approved)})
    return {
        "asked": 0,
        "causes": [shown(cause) for cause in causes[:SHOWN]],
        "count": len(causes),
        "devices": sorted({node for cause in causes if (node := node_of(cause))})[:NODES],
        "approved": sorted(set(approved))[:APPROVED],
        "pushes": [p._asdict() for p in pushes_of(causes) if not p.pull][:BRANCHES],
        "proposed": False,
        "surfaces": [surface for surface in SURFACES if surface in surfaces] or list(SURFACES),
        "listing": not causes or any(cause.kind not in TOLD for cause in causes),
        "adopted": None,
    }


def proposals(causes: list[Cause]) -> dict[str, Any]:
    """Return what only a dry run heeds: what a pull request proposes is never written.

    Its names may be anybody's, so that zones are listed to plan them.
    """
    pushes = pushes_of(causes)[:BRANCHES]
    told = {"pushes": [push._asdict() for push in pushes]}
    return told | ({"proposed": True, "listing": True} if any(p.pull for p in pushes) else {})


def approvals(causes: list[Cause]) -> list[Cause]:
    """Return those by which people let changes through."""
    return [cause for cause in causes if cause.kind == "approval"]


def shown(cause: Cause) -> dict[str, str]:
    """Return a cause as each change carries it: an approval without its many digests."""
    return {**cause.as_json(), **({"ref": ""} if cause.kind == "approval" else {})}


def node_of(cause: Cause) -> str:
    """Return the node id that a Tailscale event's cause refers to, or ""."""
    parts = cause.ref.split()
    return parts[1] if cause.kind == "tailscale" and len(parts) > 1 and parts[1] != "-" else ""
