"""What the functions answer: scripts of answers, failures under Lambda's names, and the defaults.

Gather Causes and Close Change do to the table what the real ones do, with the product's own lease
and causes; the others answer documents.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.stack import stack
from tailkeeper.summary import outcome_of


if TYPE_CHECKING:
    from collections.abc import Callable

SURFACES = {"records": 0, "resolver": 0, "split-dns": 0}
NOTHING = dict.fromkeys(("create", "update", "delete", "skipped", "waiting", "held", "refused"), 0)


class Failure(Exception):
    """A function's failure under the error type that the real runtime would report."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} happened")
        untyped = {"errorMessage": f"{kind} happened"}
        self.document = untyped if kind == "Lambda.Unknown" else {"errorType": kind} | untyped


@dataclass(frozen=True)
class Call:
    """One invocation: which function, with what, and when (seconds, monotonic)."""

    function: str
    payload: Any
    began: float
    ended: float


@dataclass
class Script:
    """What the functions answer: the first answers once each, the last one for good.

    An answer is a document, a callable of the payload, or an exception to raise.
    """

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def invoke(self, function: str, payload: Any) -> Any:
        """Answer a call, and record it."""
        began = time.monotonic()
        try:
            answer = self._next(function)
            if isinstance(answer, Exception):
                raise answer
            return answer(payload) if callable(answer) else answer
        finally:
            with self._lock:
                self.calls.append(Call(function, payload, began, time.monotonic()))

    def _next(self, function: str) -> Any:
        with self._lock:
            told = self._told[function]
            self._told[function] += 1
        answers = self.answers.get(function) or [DEFAULTS[function]]
        return answers[min(told, len(answers) - 1)]

    def payloads(self, function: str) -> list[Any]:
        """Return what a function was called with, in order."""
        return [call.payload for call in self.calls if call.function == function]


PULL, PUSHED = "github me/homelab pull/7 5ea", "github me/homelab main 5ea"
PUSHES = {ref: {"branch": ref.split()[2], "sha": "5ea"} for ref in (PULL, PUSHED)}


def gather(payload: Any) -> dict[str, Any]:
    """Do what Gather Causes does."""
    run, asked, causes = payload["run"], 0, payload["causes"]
    if run["fence"]:
        asked = stack().lease(run).renew()["asked"]
        waiting = stack().causes.waiting()
        stack().causes.take(run["name"], payload["round"], [entry.key for entry in waiting])
        causes = [entry.cause.as_json() for entry in waiting]
    return {
        "asked": asked,
        "causes": causes,
        "count": len(causes),
        "devices": [],
        "approved": [],
        "pushes": [push for cause in causes if (push := PUSHES.get(cause.get("ref")))],
        "proposed": run["dry_run"] and any(c.get("ref") == PULL for c in causes),
        "surfaces": payload["surfaces"],
        "listing": False,
        "adopted": None,
    }


def close(payload: Any) -> dict[str, Any]:
    """Do what Close Change does, but for the journal."""
    run, planned = payload["run"], payload["planned"] or {}
    stack().lease(run).renew()
    failures = [report["failed"] for report in payload["written"] if report.get("failed")]
    failures += [payload["failure"]] if payload.get("failure") else []
    counts = planned.get("counts", NOTHING)
    stack().causes.consume(run["name"])
    outcome = outcome_of(
        counts,
        failed=bool(failures),
        undone=payload["undone"],
        adopted=bool(planned.get("apply")),
    )
    return {
        "change_id": planned.get("change_id"),
        "outcome": outcome,
        "causes": payload["causes"],
        "plan": counts,
        "proof": payload["proof"] or {},
        "why": "; ".join(failures),
        "to_tell": counts["held"],
        "reports": planned.get("reports", []),
    }


def plan(**more: Any) -> dict[str, Any]:
    """Return what Plan Change answers: nothing to do, but for what is given."""
    return {
        "settling": False,
        "change_id": "change-1",
        "apply": False,
        "apply_counts": SURFACES,
        "counts": NOTHING,
        "unread": {},
        "remembered": [],
        "reports": [],
        "plan": {"inline": []},
        "probes": [],
    } | more


def counting(**counts: int) -> dict[str, Any]:
    """Return a plan of which nothing may be applied."""
    return plan(counts=NOTHING | counts)


def applying(*surfaces: str, **more: Any) -> dict[str, Any]:
    """Return a plan with one change to apply for each surface, and two batches of probes."""
    made = {
        "apply": True,
        "apply_counts": SURFACES | dict.fromkeys(surfaces, 1),
        "counts": NOTHING | {"update": len(surfaces)},
        "probes": [{"inline": ["a"]}, {"inline": ["b"]}],
    }
    return plan(**made | more)


def judged(word: str) -> dict[str, Any]:
    """Return what Judge Proof answers."""
    proof = {"word": word, "views": {}}
    undo = {"inline": ["the inverse"] if word == "worse" else []}
    return {"word": word, "proof": proof, "undo": undo, "undo_counts": SURFACES}


def sweeping(*, start: bool) -> Callable[[Any], dict[str, Any]]:
    """Return what Judge Sweep answers, its cause named after the run as the real one does."""

    def judge(payload: Any) -> dict[str, Any]:
        run = payload["run"]
        cause = {"kind": "sweep", "id": run["name"], "at": run["started"], "by": "sweep", "ref": ""}
        why = "1 changes to apply" if start else ""
        found = {"why": why, "devices": [], "states": {"healthy": 2}}
        return {"start": start, "causes": [cause], **found}

    return judge


DEFAULTS: dict[str, Any] = {
    "GatherCauses": gather,
    "ObserveTailnet": {"inline": {"reader": "tailnet"}},
    "ObserveCluster": [{"inline": {"reader": "cluster"}}],
    "ObserveZones": {"inline": {"reader": "zones"}},
    "ObserveGit": {"inline": ["a commit"]},
    "ObserveResolver": {"inline": {"reader": "resolver"}},
    "PlanChange": plan(),
    "PlanUndo": plan(),
    "ImportMarks": plan(),
    "PostPlan": {"link": "", "why": ""},
    "RedeliverWebhooks": {"me/homelab": 0},
    "ProbeEndpoints": lambda payload: {"inline": [payload["targets"]]},
    "ApplyRecords": {"surface": "records", "written": 1},
    "ApplyResolver": {"surface": "resolver", "written": 1},
    "ApplySplitDns": {"surface": "split-dns", "written": 1},
    "JudgeProof": judged("proven"),
    "CloseChange": close,
    "TellPeople": lambda payload: {"told": 1, **payload},
    "JudgeSweep": sweeping(start=False),
}
