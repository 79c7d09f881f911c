"""Cases of Converge: what is given and answered, the states that follow, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.statemachines.script import (
    NOTHING,
    PULL,
    PUSHED,
    Failure,
    applying,
    counting,
    judged,
    plan,
)


START = ("Read The Input", "Is The Input Right?", "Dry Run?")
ASK = (*START, "Store Causes", "Ask The Holder")
CLAIM = (*ASK, "Claim The Lease", "Read Config")
COLLECT = ("Gather Causes", "Served Already?", "Proposed?")
GATHER = (*CLAIM, *COLLECT)
LOOK = ("Observe", "Plan Change", "Anything To Apply?")
SETTLE = (*LOOK, "Wait To Settle")
PLANNED = (*GATHER, *LOOK)
PROBE = ("Probe Before", "Keep The Baseline")
PROVE = ("Prove", "Judge Proof", "Worse Than Before?")
APPLY = ("Apply", "Was The Memory Right?")
WRITE = (*PROBE, *APPLY, *PROVE)
JUDGED = (*PLANNED, *WRITE)
CLOSE = ("Close Change", "Failed?")
TELL = "Anything To Tell?"
ENDED = (TELL, "How Did It End?")
TOLD = (TELL, "Tell People", "How Did It End?")
RELEASED = (*CLOSE, "Release The Lease")
DONE = (*RELEASED, *ENDED, "Done")
AGAIN = (*CLOSE, "Release The Lease", "More Causes Waiting", *COLLECT)
STORM = (*CLOSE, "Let A Storm Gather", "Release The Lease")
BROKEN = ("Close As Failed", "Was It Proposed?", "Failed")

RECORDS = (
    "Any Records? > Apply Records",
    "Any Resolver? > No Resolver",
    "Any Split DNS? > No Split DNS",
)
EVERYTHING = (
    "Any Records? > Apply Records",
    "Any Resolver? > Apply Resolver",
    "Any Split DNS? > Apply Split DNS",
)
THROTTLED_TRIES = 10
NO_PUSH = "Any Push? > No Push"  # each run's that no push has caused
LOST_GIT = ("Any Push? > Observe Git", "Observe Git > Git Lost Its Lease")
FREE, HELD, UNTOUCHED = "free", "held", "untouched"
LOST = Failure("LeaseLost")
BUG = Failure("KeyError")
PUSH, PULL_REQUEST = (
    {"kind": "git", "id": ref, "at": "2026-11-21T23:00:00Z", "by": "me", "ref": ref}
    for ref in (PUSHED, PULL)
)
PROPOSED = (*START, "Read Config", *COLLECT, "Announce Plan")


@dataclass(frozen=True)
class Case:
    """`path` is the machine's own states, `inner` the transitions within the Applys' branches.

    `end` is the output's outcome, or the error of an execution that fails; `lease` what is left.
    """

    name: str
    end: str
    path: tuple[str, ...]
    answers: dict[str, list[Any]] = field(default_factory=dict)
    inner: tuple[str, ...] = ()
    lease: str = FREE
    given: dict[str, Any] = field(default_factory=dict)


def applied(name: str, end: str, *path: str, **answers: list[Any]) -> Case:
    """Return a case in which records are applied, and that goes on from there."""
    given = {"PlanChange": [applying("records")]} | answers
    return Case(name, end, (*JUDGED, *path), given, RECORDS)


ENDS = [
    Case("in sync", "in_sync", (*PLANNED, *DONE)),
    Case("held", "held", (*PLANNED, *RELEASED, *TOLD, "Done"), {"PlanChange": [counting(held=2)]}),
    Case(
        "held, and nobody can be told",
        "held",
        (*PLANNED, *RELEASED, *TOLD, "Done"),
        {"PlanChange": [counting(held=2)], "TellPeople": [BUG]},
    ),
    Case(
        "held, and a surface cannot be written",
        "Failed",
        (*JUDGED, *CLOSE, *TOLD, "Failed"),
        {
            "PlanChange": [applying("records", counts=NOTHING | {"held": 2})],
            "ApplyRecords": [BUG],
        },
        (*RECORDS, "Apply Records > No Records"),
        HELD,
    ),
    Case("refused", "refused", (*PLANNED, *DONE), {"PlanChange": [counting(refused=1)]}),
    applied("applied", "applied", *DONE),
    applied(
        "applied though it could not be proven", "applied", *DONE, JudgeProof=[judged("unproven")]
    ),
    Case(
        "applied on every surface",
        "applied",
        (*JUDGED, *DONE),
        {"PlanChange": [applying("records", "resolver", "split-dns")]},
        EVERYTHING,
    ),
    applied(
        "proven at the third look",
        "applied",
        *("Wait For The World", *PROVE) * 2,
        *DONE,
        JudgeProof=[judged("again"), judged("again"), judged("proven")],
    ),
    applied("undone", "undone", "Undo", *DONE, JudgeProof=[judged("worse")]),
    Case(
        "settles, then applied",
        "applied",
        (*GATHER, *SETTLE * 2, *LOOK, *WRITE, *DONE),
        {"PlanChange": [plan(settling=True), plan(settling=True), applying("records")]},
        RECORDS,
    ),
    Case(
        "a crashed run's change with its baseline",
        "applied",
        (*PLANNED, *APPLY, *PROVE, *DONE),
        {"PlanChange": [applying("records", baseline=[{"inline": ["kept"]}])]},
        RECORDS,
    ),
    Case(
        "new causes cut the proof short",
        "applied",
        (*JUDGED, *COLLECT, *LOOK, *WRITE, *DONE),
        {
            "PlanChange": [applying("records")],
            "JudgeProof": [judged("more"), judged("proven")],
        },
        RECORDS * 2,
    ),
    Case(
        "a zone was not as it was remembered",
        "applied",
        (*PLANNED, *PROBE, *APPLY, *COLLECT, *LOOK, *WRITE, *DONE),
        {"PlanChange": [applying("records")], "ApplyRecords": [{"stale": True}, {}]},
        RECORDS * 2,
    ),
    Case(
        "zones that stay throttled are left",
        "in_sync",
        (*PLANNED, *DONE),
        {"ObserveZones": [*[Failure("Throttled")] * THROTTLED_TRIES, {"inline": {}}]},
        ("Observe Zones > Leave Throttled Zones",),
    ),
    Case(
        "dry run",
        "planned",
        (*START, "Read Config", *COLLECT, *LOOK, "Planned"),
        {"PlanChange": [applying("records")]},
        lease=UNTOUCHED,
        given={"dry_run": True},
    ),
    Case(
        "a push",
        "in_sync",
        (*PLANNED, *DONE),
        inner=("Any Push? > Observe Git",),
        given={"causes": [PUSH]},
    ),
    Case(
        "a push of which nothing can be read",
        "in_sync",
        (*PLANNED, *DONE),
        {"ObserveGit": [BUG]},
        ("Any Push? > Observe Git", "Observe Git > No Push"),
        given={"causes": [PUSH]},
    ),
    Case(
        "a pull request",
        "planned",
        (*PROPOSED, *LOOK, "Post Plan", "Planned"),
        {"PlanChange": [applying("records")]},
        ("Any Push? > Observe Git",),
        UNTOUCHED,
        {"dry_run": True, "causes": [PULL_REQUEST]},
    ),
    Case(
        "a pull request whose plan fails",
        "Failed",
        (*PROPOSED, *LOOK[:2], *BROKEN[:2], "Post Failure", "Failed"),
        {"PlanChange": [BUG]},
        ("Any Push? > Observe Git",),
        UNTOUCHED,
        {"dry_run": True, "causes": [PULL_REQUEST]},
    ),
    Case(
        "a pull request whose host is deaf",
        "Failed",
        (*PROPOSED, *LOOK[:2], *BROKEN[:2], "Post Failure", "Failed"),
        {"PlanChange": [BUG], "PostPlan": [BUG]},
        ("Any Push? > Observe Git",),
        UNTOUCHED,
        {"dry_run": True, "causes": [PULL_REQUEST]},
    ),
    Case(
        "a pull request that cannot be told its plan",
        "planned",
        (*PROPOSED, *LOOK, "Post Plan", "Planned"),
        {"PlanChange": [applying("records")], "PostPlan": [{}, BUG]},
        ("Any Push? > Observe Git",),
        UNTOUCHED,
        {"dry_run": True, "causes": [PULL_REQUEST]},
    ),
]

SURFACE_FAILURES = [
    Case(
        f"{surface} cannot be written",
        "Failed",
        (*JUDGED, *CLOSE, *ENDED, "Failed"),
        {
            "PlanChange": [applying("records", "resolver", "split-dns")],
            f"Apply{function}": [BUG],
        },
        (*EVERYTHING, f"Apply {surface} > No {surface}"),
        HELD,
    )
    for surface, function in (
        ("Records", "Records"),
        ("Resolver", "Resolver"),
        ("Split DNS", "SplitDns"),
    )
] + [
    Case(
        f"{surface} cannot be taken back",
        "Failed",
        (*JUDGED, "Undo", *CLOSE, *ENDED, "Failed"),
        {
            "PlanChange": [applying("records", "resolver", "split-dns")],
            "JudgeProof": [judged("worse")],
            f"Apply{function}": [{"surface": function}, BUG],
        },
        (*EVERYTHING, f"Undo {surface} > {surface} Not Undone"),
        HELD,
    )
    for surface, function in (
        ("Records", "Records"),
        ("Resolver", "Resolver"),
        ("Split DNS", "SplitDns"),
    )
]

# Where a function can fail for good: which one, with which plan, and the path until there.
STAGES: list[tuple[str, dict[str, list[Any]], tuple[str, ...], tuple[str, ...]]] = [
    ("GatherCauses", {}, (*CLAIM, "Gather Causes"), ()),
    *(
        (f"Observe{world}", {}, (*GATHER, "Observe"), ())
        for world in ("Tailnet", "Cluster", "Zones", "Resolver")
    ),
    ("PlanChange", {}, (*GATHER, "Observe", "Plan Change"), ()),
    ("ProbeEndpoints", {"PlanChange": [applying("records")]}, (*PLANNED, "Probe Before"), ()),
    (
        "JudgeProof",
        {"PlanChange": [applying("records")]},
        (*PLANNED, *PROBE, *APPLY, "Prove", "Judge Proof"),
        RECORDS,
    ),
    ("CloseChange", {}, (*PLANNED, "Close Change"), ()),
]
PROBED: list[Any] = [{"inline": []}, {"inline": []}]
FAILURES = (
    [
        Case(
            f"{f} fails",
            "Failed",
            (*path, *BROKEN),
            answers | {f: [BUG]},
            inner,
            HELD,
        )
        for f, answers, path, inner in STAGES
    ]
    + [
        Case(
            f"{f} has lost the lease",
            "LeaseLost",
            (*path, "Lease Lost"),
            answers | {f: [LOST]},
            inner,
            HELD,
        )
        for f, answers, path, inner in STAGES
    ]
    + [
        Case(
            "ObserveGit has lost the lease",
            "LeaseLost",
            (*GATHER, "Observe", "Lease Lost"),
            {"ObserveGit": [LOST]},
            LOST_GIT,
            HELD,
            {"causes": [PUSH]},
        )
    ]
    + [
        Case(
            f"Prove: {bad.document['errorType']}",
            "LeaseLost" if bad is LOST else "Failed",
            (*PLANNED, *PROBE, *APPLY, "Prove", *end),
            {"PlanChange": [applying("records")], "ProbeEndpoints": [*PROBED, bad]},
            RECORDS,
            HELD,
        )
        for bad, end in ((BUG, BROKEN), (LOST, ("Lease Lost",)))
    ]
    + [
        Case(
            f"{name} has lost the lease",
            "LeaseLost",
            (*PLANNED, *PROBE, "Apply", "Lease Lost"),
            {"PlanChange": [applying(surface)], f"Apply{function}": [LOST]},
            inner,
            HELD,
        )
        for name, surface, function, inner in (
            (
                "Records",
                "records",
                "Records",
                (*RECORDS, "Apply Records > Records Lost Their Lease"),
            ),
            (
                "Resolver",
                "resolver",
                "Resolver",
                (
                    "Any Records? > No Records",
                    "Any Resolver? > Apply Resolver",
                    "Any Split DNS? > No Split DNS",
                    "Apply Resolver > Resolver Lost Its Lease",
                ),
            ),
            (
                "Split DNS",
                "split-dns",
                "SplitDns",
                (
                    "Any Records? > No Records",
                    "Any Resolver? > No Resolver",
                    "Any Split DNS? > Apply Split DNS",
                    "Apply Split DNS > Split DNS Lost Its Lease",
                ),
            ),
        )
    ]
    + [
        Case(
            "the close of a failure fails too",
            "Failed",
            (*PLANNED, "Close Change", *BROKEN),
            {"CloseChange": [BUG]},
            lease=HELD,
        ),
        Case(
            "a plan whose counts are no numbers",
            "Failed",
            (*PLANNED, *PROBE, "Apply", *BROKEN),
            {
                "PlanChange": [
                    applying(
                        apply_counts=dict.fromkeys(("records", "resolver", "split-dns"), "many")
                    )
                ]
            },
            lease=HELD,
        ),
    ]
)

_CAUSE = {"kind": "person", "id": "1", "at": "2026-11-21T23:00:00Z", "by": "me", "ref": ""}
WRONG_INPUTS: list[dict[str, Any]] = [
    {"causes": [_CAUSE | {"kind": "rumour"}]},
    {"causes": [_CAUSE, {"kind": "git", "at": "now"}]},
    {"causes": [_CAUSE | {"id": 7}]},
    {"causes": [_CAUSE | {"at": None}]},
    {"causes": [[_CAUSE]]},
    {"causes": _CAUSE},
    {"causes": "person"},
    {"causes": ["person"]},
    {"surfaces": ["records", "sky"]},
    {"surfaces": "records"},
    {"surfaces": {"records": 1}},
    {"surfaces": [["records"]]},
    {"surfaces": [1]},
    {"dry_run": "true"},
    {"dry_run": 1},
]
