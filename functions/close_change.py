"""State Close Change: the outcome into the journal, the causes consumed, decisions remembered."""

from __future__ import annotations

import json
import time
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.stack import stack
from tailkeeper.model import Plan
from tailkeeper.moments import rfc3339
from tailkeeper.summary import OUTCOMES, counts_of, outcome_of, summed


logger = Logger(service="close-change")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the execution's output: {change_id, outcome, causes, plan, proof, why}."""
    run, planned = event["run"], event["planned"] or {}
    if not run["dry_run"] and run["fence"]:
        stack().lease(run)
    change_id = planned.get("change_id")
    failures = failures_of(event)
    plan = Plan.from_json(stack().artifacts.unpack(planned["plan"])) if "plan" in planned else None
    answer: dict[str, Any] = {
        "change_id": change_id,
        "outcome": outcome_of(
            counts_of(plan),
            failed=bool(failures),
            undone=event["undone"],
            adopted=bool(planned.get("apply")),
        ),
        "causes": event["causes"],
        "plan": counts_of(plan),
        "proof": event["proof"] or {},
        "why": "; ".join(failures)[:1000],
    }
    if answer["outcome"] != "in_sync":
        answer = journalled(answer, event, plan)
    else:
        answer["change_id"] = None
    stack().causes.consume(run["name"])
    logger.info("closed", extra={"change": change_id, "outcome": answer["outcome"]})
    return answer


def failures_of(event: dict[str, Any]) -> list[str]:
    """Return why the change, or a surface of it, failed."""
    found = [event["failure"]] if event.get("failure") else []
    unread = (event["planned"] or {}).get("unread", {})
    found += [f"{surface} could not be read: {why}" for surface, why in unread.items()]
    for report in event["written"]:
        if report.get("failed"):
            found.append(report["failed"])
        if report.get("conflicts"):
            found.append(
                f"{report['surface']}: changed meanwhile: {', '.join(report['conflicts'])}"
            )
    return found


def journalled(answer: dict[str, Any], event: dict[str, Any], plan: Plan | None) -> dict[str, Any]:
    """Write the outcome beside that of the change's earlier rounds, and return their sum."""
    change_id = answer["change_id"]
    if not change_id:
        return answer
    earlier = stack().journal.head(change_id) or {}
    rounds = {
        **earlier.get("rounds", {}),
        f"{event['run']['name']}#{event['round']}": answer["plan"],
    }
    counts = summed(rounds.values())
    ranked = sorted((answer["outcome"], earlier.get("outcome", "in_sync")), key=OUTCOMES.index)
    answer = {**answer, "outcome": ranked[0], "plan": counts}
    head = {
        "causes": earlier.get("causes") or answer["causes"],
        "outcome": answer["outcome"],
        "counts": counts,
        "rounds": rounds,
        "proof": answer["proof"] or earlier.get("proof", {}),
        "why": answer["why"],
        "reports": (event["planned"] or {}).get("reports", []),
        "closed": rfc3339(time.time()),
    }
    stack().journal.close(change_id, head)
    decide(plan, change_id)
    return answer


def decide(plan: Plan | None, change_id: str) -> None:
    """Remember what was held or refused and why, so that a sweep does not ask for it again."""
    standing = (*plan.with_word("hold"), *plan.with_word("refuse")) if plan else ()
    stack().table.write(
        {
            "pk": "decisions",
            "sk": change.digest,
            "word": change.verdict.word,
            "reasons": json.dumps(change.verdict.reasons),
            "key": f"{change.surface} {change.key}",
            "change": change_id,
            "at": rfc3339(time.time()),
        }
        for change in standing
        if change.verdict
    )
