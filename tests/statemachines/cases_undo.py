"""Cases of Undo: as those of Converge, from a change that is in the journal."""

from __future__ import annotations

from typing import Any

from tests.statemachines.cases import BUG, FREE, HELD, LOST, UNTOUCHED, Case
from tests.statemachines.script import Failure, applying, counting, judged


BROKEN = ("Close As Failed", "Failed")

ID = "20261121-230000-aaaaaa"
KNOWN = ("Read The Input", "Is The Input Right?", "Find The Change", "Is It Known?", "Dry Run?")
SEE = ("Read Config", "Observe", "What Was Asked?")
LOOK = (*SEE, "Plan Undo", "Anything To Apply?")
CLAIM = (*KNOWN, "Claim The Lease")
PLANNED = (*CLAIM, *LOOK)
PROBE = ("Probe Before", "Keep The Baseline")
PROVE = ("Prove", "Judge Proof", "Look Again?")
WRITE = (*PLANNED, *PROBE, "Apply", "Anything To Prove?")
JUDGED = (*WRITE, *PROVE)
CLOSE = ("Close Change", "Failed?")
DONE = (*CLOSE, "Release The Lease", "Look For Causes", "Causes Waiting?", "Done")
IMPORT = {"marks": {"owner": "x", "as": "", "zone": "example.com"}}
ASKED = ("Read The Input", "Is The Input Right?", "Dry Run?")
MARKS = (*SEE, "Import Marks", "Anything To Apply?")
CLAIMED = (*ASKED, "Claim The Lease", *MARKS)
UNPROVEN = {"PlanUndo": [applying("records")]}


def undo(name: str, end: str, *path: str, lease: str = FREE, **answers: list[Any]) -> Case:
    """Return a case in which something is taken back."""
    return Case(name, end, path, UNPROVEN | answers, lease=lease, given={"change_id": ID})


STAGES: list[tuple[str, tuple[str, ...]]] = [
    ("ObserveZones", PLANNED[:8]),
    ("PlanUndo", PLANNED[:10]),
    ("ProbeEndpoints", (*PLANNED, "Probe Before")),
    ("JudgeProof", JUDGED[:-1]),
    ("CloseChange", (*JUDGED, "Close Change")),
]
PROBED: list[Any] = [{"inline": []}, {"inline": []}]

UNDOS = [
    undo("undone", "applied", *JUDGED, *DONE),
    undo("nothing left to undo", "in_sync", *PLANNED, *DONE, PlanUndo=[counting()]),
    undo("all of it refused", "refused", *PLANNED, *DONE, PlanUndo=[counting(refused=2)]),
    undo("worse than before", "applied", *JUDGED, *DONE, JudgeProof=[judged("worse")]),
    undo(
        "proven at the second look",
        "applied",
        *(*JUDGED, "Wait For The World", *PROVE, *DONE),
        JudgeProof=[judged("again"), judged("proven")],
    ),
    undo(
        "goes on with an undo that died",
        "applied",
        *(*PLANNED, "Apply", "Anything To Prove?", *PROVE, *DONE),
        PlanUndo=[applying("records", baseline=[{"inline": ["kept"]}])],
    ),
    Case(
        "dry run",
        "planned",
        (*KNOWN, *LOOK, "Planned"),
        UNPROVEN,
        lease=UNTOUCHED,
        given={"change_id": ID, "dry_run": True},
    ),
    Case(
        "marks pass on, and no record changes",
        "applied",
        (*CLAIMED, "Apply", "Anything To Prove?", *DONE),
        {"ImportMarks": [applying("records", probes=[])]},
        given=IMPORT,
    ),
    Case(
        "marks are looked at",
        "planned",
        (*ASKED, *MARKS, "Planned"),
        lease=UNTOUCHED,
        given={**IMPORT, "dry_run": True},
    ),
    Case(
        "marks that cannot pass on",
        "Failed",
        (*CLAIMED[:-1], *BROKEN),
        {"ImportMarks": [BUG]},
        lease=HELD,
        given=IMPORT,
    ),
    Case(
        "marks of nobody here",
        "Failed",
        (*CLAIMED[:-1], "Let Go", "Failed"),
        {"ImportMarks": [Failure("BadRequest")]},
        given=IMPORT,
    ),
    *(
        Case(
            f"{surface} cannot be taken back",
            "Failed",
            (*JUDGED, *CLOSE, "Failed"),
            UNPROVEN | {f"Apply{function}": [BUG]},
            (f"Apply {surface} > {surface} Not Applied",),
            HELD,
            {"change_id": ID},
        )
        for surface, function in (
            ("Records", "Records"),
            ("Resolver", "Resolver"),
            ("Split DNS", "SplitDns"),
        )
    ),
    *(
        undo(f"{function} fails", "Failed", *path, *BROKEN, lease=HELD, **{function: [BUG]})
        for function, path in STAGES
    ),
    *(
        undo(
            f"{function} has lost the lease",
            "LeaseLost",
            *(*path, "Lease Lost"),
            lease=HELD,
            **{function: [LOST]},
        )
        for function, path in STAGES
        if function in {"ObserveZones", "PlanUndo", "ProbeEndpoints"}  # the others catch alike
    ),
    *(
        undo(
            f"Prove: {bad.document['errorType']}",
            "LeaseLost" if bad is LOST else "Failed",
            *(*WRITE, "Prove", *end),
            lease=HELD,
            ProbeEndpoints=[*PROBED, bad],
        )
        for bad, end in ((BUG, BROKEN), (LOST, ("Lease Lost",)))
    ),
]

WRONG_INPUTS: list[dict[str, Any]] = [
    {},
    {"change_id": ""},
    {"change_id": 7},
    {"change_id": ID, "dry_run": "yes"},
    {"change_id": ID, "by": 1},
    {"change_id": ID, "causes": [{"kind": "rumour", "id": "1", "at": "now"}]},
    {"change_id": ID, "causes": "undo"},
    {"change_id": ID, **IMPORT},
    {"marks": {"owner": "x"}},
    {"marks": {"owner": "x", "as": "", "zone": 1}},
    {"marks": "x"},
]
