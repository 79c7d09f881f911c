"""State Plan Undo: what takes a change back, opened as a change of its own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.journal import CONFLICT
from tailkeeper.adapters.opening import id_of, observed_world, opened, probes
from tailkeeper.adapters.stack import stack
from tailkeeper.decisions.decision import Decision
from tailkeeper.model import SURFACES, Cause
from tailkeeper.records.mark_edits import mark_name
from tailkeeper.summary import counts_of
from tailkeeper.undoing import net_of, plan_undo


if TYPE_CHECKING:
    from tailkeeper.model import Change
    from tailkeeper.planning import Draft

logger = Logger(service="plan-undo")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return what Plan Change returns; `change_id` is the undo's own, `undoes` what it undoes."""
    stack().lease(event["run"])
    entries = stack().journal.entries(event["change_id"])
    made = [entry.change for entry in entries if entry.state != CONFLICT]
    world = observed_world(stack(), event["config"], event["observed"])
    draft = plan_undo(world, made)
    answer = planned(event, draft)
    if not event["run"]["dry_run"] and (draft.plan or answer["adopted"]):
        begin(event, answer)
        answer["probes"] = probes(stack(), world, draft.plan)
        net = [change for change in net_of(made) if not mark_name(change.key)]
        decide(net, event["change_id"], event["causes"][0]["by"])
    logger.info("planned", extra={"undoes": event["change_id"], **answer["counts"]})
    return answer


def planned(event: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """Return the answer of the state; nothing is written down yet.

    An undo of the same change that died is gone on with: it is `adopted`.
    """
    causes = [Cause.from_json(cause) for cause in event["causes"]]
    plan = draft.plan.because(causes) if draft.plan else None
    applied = plan.with_word("apply") if plan else ()
    standing = stack().journal.open_head() or {}
    same = standing.get("undoes") == event["change_id"]
    adopted = same and standing["execution"] != event["run"]["holder"]
    changes = (change.as_json() for change in (plan.changes if plan else ()))
    return {
        "change_id": standing["id"] if same else id_of(event["run"]),
        "adopted": adopted,
        "apply": bool(applied or adopted),
        "apply_counts": {s: sum(c.surface == s for c in applied) for s in SURFACES},
        "counts": counts_of(plan),
        "unread": dict(draft.unread),
        "reports": list(draft.reports),
        "plan": stack().artifacts.pack_each(changes, "plans"),
        "probes": [],
    }


def begin(event: dict[str, Any], answer: dict[str, Any]) -> None:
    """Open the undo's change; it and the one that it undoes name each other."""
    journal, undone, change_id = stack().journal, event["change_id"], answer["change_id"]
    journal.abandon(f"its run died; {change_id} came before another one went on", but=change_id)
    if answer["apply"]:
        link(undone, change_id)
    answer |= opened(stack(), change_id, event["run"], event["causes"], undoes=undone)


def link(undone: str, change_id: str) -> None:
    """Note by what a change is undone; one that is undone itself undoes nothing any more."""
    journal = stack().journal
    head = journal.head(undone) or {}
    by = list(dict.fromkeys([*head.get("undone_by", []), change_id]))
    journal.amend(undone, {"undone_by": by})
    if first := journal.head(head.get("undoes", "")) if head.get("undoes") else None:
        rest = [one for one in first.get("undone_by", []) if one != undone]
        journal.amend(first["id"], {"undone_by": rest})


def decide(net: list[Change], change_id: str, by: str) -> None:
    """Let no sweep do again what is undone, until somebody approves it; lift that for a redo."""
    decisions, now = stack().decisions, time.time()
    if "undoes" in (stack().journal.head(change_id) or {}):
        known = decisions.known()
        decisions.lift(known[d] for change in net if (d := change.inverse.digest) in known)
        return
    plain = (replace(change, verdict=None) for change in net)  # why it was made is not why it stays
    made = (Decision.on(change, "undone", change_id, now) for change in plain)
    decisions.keep(replace(one, by=by).as_told() for one in made)
