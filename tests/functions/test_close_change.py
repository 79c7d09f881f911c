"""Close Change: the outcome of a run over all its rounds, counted in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import close_change
from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.model import Cause, Change, Plan, Verdict
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ID = "20261121-230000-aaaaaa"
CAUSE = Cause("tailscale", "e1", "2026-11-21T23:00:00Z", "tailscale", "nodeCreated n1 gateway")
PROOF = {"word": "proven", "states": {"healthy": 2}, "failing": [], "worse": [], "views": {}}


@pytest.fixture(autouse=True)
def lease(aws: Stack) -> None:
    """Let the run hold the lease."""
    aws.table.put({"pk": "lease", "sk": "stack", "holder": "arn:run", "fence": 1, "expires": 0})


def change(host: str, before: str | None, after: str | None, word: Any = "apply") -> Change:
    """Return a judged change of a host's addresses."""
    old, new = ({"addresses": [a]} if a else None for a in (before, after))
    verdict = Verdict(word, 7, ("because",))
    return Change("resolver", host, old, new, place="homelab/dns/hosts", verdict=verdict)


def event(*changes: Change, round_: int = 1, **more: Any) -> dict[str, Any]:
    """Return the state's input after a round that planned these changes."""
    plan = Plan.of(changes)
    planned = {
        "change_id": ID,
        "apply": any(c.verdict and c.verdict.word == "apply" for c in changes),
        "plan": {"inline": plan.as_json() if plan else []},
        "unread": {},
        "reports": [],
    }
    parts = {"written": [], "proof": None, "undone": False, "causes": [CAUSE.as_json()]}
    return {"run": RUN, "round": round_, "planned": planned, **parts, **more}


def written(aws: Stack, number: int | str, *changes: Change, state: str = APPLIED) -> None:
    """Journal what a round wrote."""
    aws.journal.begin(ID, {"causes": [CAUSE.as_json()]})
    aws.journal.intend(ID, round_of(1, number), changes)
    aws.journal.receipt(ID, round_of(1, number), ((c, state, "") for c in changes))


def test_applied(aws: Stack) -> None:
    """What was written is counted by what became of it; the change is closed."""
    made, failed = change("a", None, "100.64.0.1"), change("b", "100.64.0.1", "100.64.0.2")
    written(aws, 1, made)
    written(aws, 1, failed, state=CONFLICT)

    answer = close_change.handler(event(made, failed, proof=PROOF), None)

    assert (answer["change_id"], answer["outcome"]) == (ID, "applied")
    assert answer["plan"] == {
        **dict.fromkeys(("delete", "skipped", "waiting", "held", "refused", "update"), 0),
        "create": 1,
    }
    head = aws.journal.head(ID) or {}
    assert (head["outcome"], head["counts"], head["proof"]) == ("applied", answer["plan"], PROOF)
    assert aws.journal.open_change() is None


def test_round_that_was_cut_short(aws: Stack) -> None:
    """The round that closes the change may have planned nothing: its writes were another's."""
    written(aws, 1, change("a", "100.64.0.1", "100.64.0.2"))
    later = event(round_=2, proof=PROOF)
    later["planned"]["apply"] = True

    answer = close_change.handler(later, None)

    assert (answer["outcome"], answer["plan"]["update"]) == ("applied", 1)


def test_round_after_the_change(aws: Stack) -> None:
    """A round that finds everything in step tells what the run came to before it."""
    moved = change("a", "100.64.0.1", "100.64.0.2")
    written(aws, 1, moved)
    first = close_change.handler(event(moved, proof=PROOF), None)

    second = close_change.handler(event(round_=2), None)

    assert second == first


def test_nothing_to_do(aws: Stack) -> None:
    """In step from the first round on there is no change, and none in the journal."""
    answers = [close_change.handler(event(round_=number), None) for number in (1, 2)]

    assert [(a["change_id"], a["outcome"]) for a in answers] == [(None, "in_sync")] * 2
    assert aws.journal.head(ID) is None


def test_undone(aws: Stack) -> None:
    """What was taken back is not counted as written twice."""
    moved = change("a", "100.64.0.1", "100.64.0.2")
    written(aws, 1, moved)
    written(aws, "undo", moved.inverse)

    answer = close_change.handler(event(moved, undone=True, proof=PROOF), None)

    assert (answer["outcome"], answer["plan"]["update"]) == ("undone", 1)


def test_held_and_refused(aws: Stack) -> None:
    """What people must decide is remembered with its reasons, and counted."""
    held, refused = change("a", None, "x", "hold"), change("b", None, "y", "refuse")

    answer = close_change.handler(event(held, refused), None)

    assert (answer["outcome"], answer["plan"]["held"], answer["plan"]["refused"]) == ("held", 1, 1)
    decided = {item["sk"]: item["word"] for item in aws.table.query("decisions")}
    assert decided == {held.digest: "hold", refused.digest: "refuse"}


def test_failed(aws: Stack) -> None:
    """A surface that failed, or changed meanwhile, makes the outcome failed and says why."""
    reports = [
        {"failed": 'Unreachable: {"errorMessage": "Cloudflare", "stackTrace": ["File x"]}'},
        {"surface": "resolver", "conflicts": ["a", "b"]},
    ]

    failure = "States.Timeout: no more time"

    answer = close_change.handler(
        event(change("a", None, "x"), written=reports, failure=failure), None
    )

    assert answer["outcome"] == "failed"
    assert answer["why"] == (
        "States.Timeout: no more time; Unreachable: Cloudflare; resolver: changed meanwhile: a, b"
    )
