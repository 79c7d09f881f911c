"""State Judge Sweep: whether what a sweep found is worth a Converge."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.lease import LEASE
from tailkeeper.adapters.memory import Memories
from tailkeeper.adapters.stack import stack
from tailkeeper.decisions import news
from tailkeeper.model import Cause, Plan


if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD = 10
logger = Logger(service="judge-sweep")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {start, causes, why, devices, states}; `devices` says what happened to carriers'.

    `states` counts the findings, `why` says in words what there is to do.
    """
    plan = Plan.from_json(stack().artifacts.unpack(event["planned"]["plan"]))
    seen = event["planned"].get("devices") or {"changes": {}, "table": None}
    # A run at work sees all this itself, and a cause would cut its proof short; or it dies.
    held = is_held()
    looks = () if held else (to_apply(plan), untold(plan), stranded())
    reasons = [reason for reason in looks if reason]
    if seen["table"] and not held:
        Memories(stack()).keep_devices(stack().artifacts.unpack(seen["table"]))
    findings = [f for batch in event["findings"] for f in stack().artifacts.unpack(batch)]
    why, devices = "; ".join(reasons), told(seen["changes"])
    logger.info("swept", extra={"start": bool(reasons), "why": why, "devices": devices})
    return {
        "start": bool(reasons),
        "causes": [cause.as_json() for cause in causes(event["run"], why, devices)],
        "why": why,
        "devices": list(devices.values()),
        "states": Counter(finding["state"] for finding in findings),
    }


def told(changes: Mapping[str, str]) -> dict[str, str]:
    """Return what happened to the first ten devices, and how many more there are."""
    first = dict(list(changes.items())[:TOLD])
    more = len(changes) - len(first)
    return {**first, "more": f"{more} more devices changed"} if more else first


def causes(run: Mapping[str, str], why: str, devices: Mapping[str, str]) -> list[Cause]:
    """Return the sweep's causes: what there is to do, then each device that something happened to.

    Named after the sweep and the device, so that the same one found twice is one cause.
    """
    found = {"": why, **{f"/{node}": words for node, words in devices.items()}}
    return [
        Cause(
            "sweep", run["name"] + suffix, run["started"], "sweep", f"found by sweep: {words}"[:500]
        )
        for suffix, words in found.items()
    ]


def to_apply(plan: Plan | None) -> str:
    """Say how many changes there are to apply, or ""."""
    changes = plan.with_word("apply") if plan else ()
    return f"{len(changes)} changes to apply" if changes else ""


def untold(plan: Plan | None) -> str:
    """Say how many changes are stopped for reasons that nobody was told, or ""."""
    new = news.untold(plan, stack().decisions.known()) if news.stopped(plan) else 0
    return f"{new} changes held, refused or undone that were not reported yet" if new else ""


def is_held() -> bool:
    """Return whether somebody holds the lease, alive or not: the next sweep comes after it."""
    lease = stack().table.get(*LEASE) or {}
    return bool(lease.get("expires", 0) > time.time())


def stranded() -> str:
    """Say that causes wait although no run is alive to take them, or ""."""
    return "causes wait for a run" if stack().table.query("causes", limit=1) else ""
