"""State Judge Sweep: whether what a sweep found is worth a Converge."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.lease import LEASE
from tailkeeper.adapters.stack import stack
from tailkeeper.model import Cause, Plan


logger = Logger(service="judge-sweep")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {start, cause, why, states}: states counts the findings, `why` says it in words."""
    plan = Plan.from_json(stack().artifacts.unpack(event["planned"]["plan"]))
    # A run at work sees all this itself, and a cause would cut its proof short; or it dies.
    looks = () if is_held() else (to_apply(plan), undecided(plan), stranded())
    reasons = [reason for reason in looks if reason]
    findings = [f for batch in event["findings"] for f in stack().artifacts.unpack(batch)]
    run, why = event["run"], "; ".join(reasons)
    cause = Cause("sweep", run["name"], run["started"], "sweep", f"found by sweep: {why}"[:500])
    logger.info("swept", extra={"start": bool(reasons), "why": why})
    return {
        "start": bool(reasons),
        "cause": cause.as_json(),
        "why": why,
        "states": Counter(finding["state"] for finding in findings),
    }


def to_apply(plan: Plan | None) -> str:
    """Say how many changes there are to apply, or ""."""
    changes = plan.with_word("apply") if plan else ()
    return f"{len(changes)} changes to apply" if changes else ""


def undecided(plan: Plan | None) -> str:
    """Say how many holds and refusals nobody was told of with these reasons, or ""."""
    standing = (*plan.with_word("hold"), *plan.with_word("refuse")) if plan else ()
    if not standing:
        return ""
    told = {item["sk"]: item["reasons"] for item in stack().table.query("decisions")}
    new = [
        change
        for change in standing
        if change.verdict and told.get(change.digest) != json.dumps(change.verdict.reasons)
    ]
    return f"{len(new)} changes held or refused that were not reported yet" if new else ""


def is_held() -> bool:
    """Return whether somebody holds the lease, alive or not: the next sweep comes after it."""
    lease = stack().table.get(*LEASE) or {}
    return bool(lease.get("expires", 0) > time.time())


def stranded() -> str:
    """Say that causes wait although no run is alive to take them, or ""."""
    return "causes wait for a run" if stack().table.query("causes", limit=1) else ""
