"""No rule of Converge or Undo without a case; transitions that none takes are named, with why."""

from __future__ import annotations

from itertools import pairwise

from tests.statemachines.cases import (
    AGAIN,
    ASK,
    ENDS,
    FAILURES,
    LOOK,
    START,
    STORM,
    SURFACE_FAILURES,
)
from tests.statemachines.cases_undo import UNDOS
from tests.statemachines.definitions import Way, graphs, source, ways
from tests.statemachines.test_leases import CALLS
from tests.statemachines.test_undo import CALLS as CALLS_OF_UNDO


CASES = [*ENDS, *SURFACE_FAILURES, *FAILURES]
ELSEWHERE: set[Way] = {
    ("Is The Input Right?", "Bad Input"),  # test_wrong_input_is_refused
    ("Claim The Lease", "Ask The Holder"),  # test_storm
    ("Any Push?", "No Push"),  # every run without a push
    *pairwise((*ASK, "Coalesced")),
    *pairwise((*START, "Read Config")),
    *pairwise((*AGAIN, *LOOK)),
    *pairwise(STORM),
    ("Served Already?", "Release The Lease"),  # test_leases
}
UNREACHABLE: set[Way] = {
    ("Read Config", "Lease Lost"),  # one Catch serves all states; AWS's own calls know no fence
    ("Keep The Baseline", "Lease Lost"),
    ("Undo", "Lease Lost"),  # its branches report every failure; Close Change finds the loss
    ("Undo", "Close As Failed"),  # only an undo that is no JSON would
}


WAITS: set[Way] = {  # test_undo: what comes before an undo has the lease, and after it
    ("Is The Input Right?", "Bad Input"),
    ("Is It Known?", "No Such Change"),
    *pairwise(("Claim The Lease", "Waited Long Enough?", "Lease Held")),
    *pairwise(("Waited Long Enough?", "Wait For The Lease", "Claim The Lease")),
    *pairwise(("Look For Causes", "Causes Waiting?", "Hand Over", "Done")),
}


def test_every_transition_of_undo_is_taken() -> None:
    """The same of Undo; AWS's own calls that fail for good are in its test."""
    taken = {way for case in UNDOS for way in pairwise(case.path)} | WAITS
    taken |= {(a, b) for case in UNDOS for a, _, b in (w.partition(" > ") for w in case.inner)}
    taken |= {way for _, end in CALLS_OF_UNDO.values() for way in pairwise(end)}

    allowed = {way for graph in graphs(source("undo")) for way in ways(graph)}
    alike = ("Judge Proof", "Close Change", "Import Marks")
    assert taken | {(state, "Lease Lost") for state in alike} == allowed


def test_every_function_of_undo_is_caught_alike() -> None:
    """What has lost its lease ends the run without a write; every other failure closes it."""
    functions = [s for s in source("undo")["States"].values() if "FunctionName" in str(s)]
    catches = [s["Catch"] for s in functions if len(s.get("Catch", ())) > 1]

    assert len(catches) == len(functions) - 2  # of Apply's branches, and of the last resort
    assert all(catch[-2:] == catches[0] for catch in catches)


def test_every_transition_is_taken() -> None:
    """Next, Choices, Default and Catch of every state lead where some case has been."""
    taken = {way for case in CASES for way in pairwise(case.path)}
    taken |= {(a, b) for case in CASES for a, _, b in (w.partition(" > ") for w in case.inner)}
    taken |= {way for _, end in CALLS.values() for way in pairwise(end)}
    allowed = {way for graph in graphs(source("converge")) for way in ways(graph)}

    assert allowed - taken - ELSEWHERE == UNREACHABLE
    assert taken <= allowed
    assert allowed >= ELSEWHERE
