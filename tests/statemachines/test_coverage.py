"""No rule of Converge without a case: transitions that no case takes are named here, with why."""

from __future__ import annotations

from itertools import pairwise

from tests.statemachines.cases import (
    AGAIN,
    ASK,
    ENDS,
    FAILURES,
    LOOK,
    START,
    SURFACE_FAILURES,
)
from tests.statemachines.definitions import Way, graphs, source, ways
from tests.statemachines.test_leases import CALLS


CASES = [*ENDS, *SURFACE_FAILURES, *FAILURES]
ELSEWHERE: set[Way] = {
    ("Is The Input Right?", "Bad Input"),  # test_wrong_input_is_refused
    ("Claim The Lease", "Ask The Holder"),  # test_storm
    *pairwise((*ASK, "Coalesced")),
    *pairwise((*START, "Read Config")),
    *pairwise((*AGAIN, *LOOK)),
}
UNREACHABLE: set[Way] = {
    ("Read Config", "Lease Lost"),  # one Catch serves all states; AWS's own calls know no fence
    ("Keep The Baseline", "Lease Lost"),
    ("Undo", "Lease Lost"),  # its branches report every failure; Close Change finds the loss
    ("Undo", "Close As Failed"),  # only an undo that is no JSON would
}


def test_every_transition_is_taken() -> None:
    """Next, Choices, Default and Catch of every state lead where some case has been."""
    taken = {way for case in CASES for way in pairwise(case.path)}
    taken |= {(a, b) for case in CASES for a, _, b in (w.partition(" > ") for w in case.inner)}
    taken |= {way for _, end in CALLS.values() for way in pairwise(end)}
    allowed = {way for graph in graphs(source("converge")) for way in ways(graph)}

    assert allowed - taken - ELSEWHERE == UNREACHABLE
    assert taken <= allowed
    assert allowed >= ELSEWHERE
