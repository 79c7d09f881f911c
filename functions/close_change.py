"""State Close Change: the outcome into the journal, the causes consumed, decisions remembered."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.journal import APPLIED
from tailkeeper.adapters.stack import stack
from tailkeeper.decisions.decision import Decision
from tailkeeper.decisions.news import remembered
from tailkeeper.git.pushes import goes_on_waiting
from tailkeeper.model import DECIDED, Plan, Verdict
from tailkeeper.moments import rfc3339
from tailkeeper.proof.judging import worse_than_before
from tailkeeper.summary import OUTCOMES, counts_of, outcome_of


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tailkeeper.adapters.journal import Entry
    from tailkeeper.model import Change

UNDO = "undo"  # how the name of an undo's round ends
logger = Logger(service="close-change")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the execution's output.

    It is {change_id, outcome, causes, plan, proof, why, to_tell, reports}: `to_tell` is how many
    holds, and changes taken back, people have not been told of, `reports` what the plan left out.
    """
    run, planned = event["run"], event["planned"] or {}
    if not run["dry_run"] and run["fence"]:
        stack().lease(run)
    change_id = planned.get("change_id")
    failures, worse = failures_of(event), worse_than_before(event["proof"], undone=event["undone"])
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
        "why": "; ".join([*failures, *worse])[:1000],
        "to_tell": 0,
        "reports": planned.get("reports", []),
    }
    if answer["outcome"] != "in_sync":
        answer = journalled(answer, event, plan)
    else:
        answer = in_step(answer, event.get("earlier"))
    stack().causes.consume(run["name"], but=waiting_on(planned.get("missed", ())))
    logger.info("closed", extra={"change": change_id, "outcome": answer["outcome"]})
    return answer


def waiting_on(missed: Collection[str]) -> set[str]:
    """Return the keys of pushes that could not be read: they wait for the next run."""
    waiting = stack().causes.waiting() if missed else []
    return {e.key for e in waiting if goes_on_waiting(e.cause, missed, time.time())}


def failures_of(event: dict[str, Any]) -> list[str]:
    """Return why the change, or a surface of it, failed."""
    found = [in_words(event["failure"])] if event.get("failure") else []
    unread = (event["planned"] or {}).get("unread", {})
    found += [f"{surface} could not be read: {why}" for surface, why in unread.items()]
    for report in event["written"]:
        if report.get("failed"):
            found.append(in_words(report["failed"]))
        found += [f"{report['surface']}: {told(key)}" for key in report.get("conflicts", ())]
    return found


def told(conflict: str) -> str:
    """Return a key that was not written, and why, if its own place has not said that."""
    return conflict if ": " in conflict else f"{conflict} was changed meanwhile"


def in_step(answer: dict[str, Any], earlier: dict[str, Any] | None) -> dict[str, Any]:
    """Return what an earlier round of this run has come to, if one of them changed anything."""
    return earlier if earlier and earlier["change_id"] else {**answer, "change_id": None}


def in_words(failure: str) -> str:
    """Return `error: sentence` of a state's failure; Lambda's cause is JSON with a stack trace."""
    error, _, cause = failure.partition(": ")
    try:
        return f"{error}: {json.loads(cause)['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return failure


def journalled(answer: dict[str, Any], event: dict[str, Any], plan: Plan | None) -> dict[str, Any]:
    """Write the outcome beside that of the change's earlier rounds, and return what it all is.

    What was created, updated and deleted is counted in the journal: a round that waited for its
    proof was cut short by new causes, and the one that closes the change may have written nothing.
    """
    change_id = answer["change_id"]
    if not change_id:
        return answer
    earlier = stack().journal.head(change_id) or {}
    counts = {**answer["plan"], **written_counts(stack().journal.entries(change_id))}
    ranked = sorted((answer["outcome"], earlier.get("outcome", "in_sync")), key=OUTCOMES.index)
    head = {
        "causes": earlier.get("causes") or answer["causes"],
        "outcome": ranked[0],
        "counts": counts,
        "proof": answer["proof"] or earlier.get("proof", {}),
        "why": answer["why"],
        "reports": answer["reports"],
        "closed": rfc3339(time.time()),
    }
    stack().journal.close(change_id, head)
    told = decide(plan, change_id, worse_than_before(event["proof"], undone=event["undone"]))
    result = {"outcome": ranked[0], "causes": head["causes"], "plan": counts, "to_tell": told}
    return {**answer, **result}


def written_counts(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many creates, updates and deletes were applied, those of an undo apart."""
    written = (e for e in entries if e.state == APPLIED and not e.round.endswith(UNDO))
    actions = Counter(entry.change.action.lower() for entry in written)
    return {action: actions[action] for action in ("create", "update", "delete")}


def decide(plan: Plan | None, change_id: str, worse: Sequence[str]) -> int:
    """Remember what was held, refused and undone; return of how many people must be told."""
    known, now = stack().decisions.known(), time.time()
    made = list(remembered(plan, known, change_id, now))
    back = taken_back(stack().journal.entries(change_id)) if worse else []
    verdict = Verdict("hold", DECIDED, tuple(worse))
    made += [Decision.on(change.judged(verdict), "undone", change_id, now) for change in back]
    stack().decisions.keep(made)
    return sum(one.news for one in made)


def taken_back(entries: Iterable[Entry]) -> list[Change]:
    """Return the changes that an undo has reverted: a sweep would only make them again."""
    reverts = (e for e in entries if e.state == APPLIED and e.round.endswith(UNDO))
    return [entry.change.inverse for entry in reverts]
