"""Close Change: one outcome for all rounds, causes consumed, holds and refusals remembered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from functions import close_change
from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.model import Change, Plan, Verdict
from tailkeeper.moments import rfc3339
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ID = "20261121-230000-aaaaaa"
CAUSE = {"kind": "tailscale", "id": "e", "at": "t", "by": "tag:k8s", "ref": ""}
WORSE = {
    "word": "worse",
    "states": {"down": 1},
    "worse": [{"host": "a", "view": "tailnet", "path": "direct", "state": "down", "hop": "tcp"}],
}
PROOF = {"word": "proven", "states": {"healthy": 3}}


def change(key: str, word: Any, reason: str = "why") -> Change:
    """Return a judged change of a record."""
    return Change("records", key, None, {"records": [], "resource": ""}, "example.com").judged(
        Verdict(word, 13, (reason,))
    )


def planned(*changes: Change, **more: Any) -> dict[str, Any]:
    """Return what Plan Change gave."""
    plan = Plan.of(changes)
    return {
        "change_id": ID,
        "plan": {"inline": plan.as_json() if plan else []},
        "apply": any(c.verdict and c.verdict.word == "apply" for c in changes),
        "unread": {},
        "reports": ["a route names no parent"],
        **more,
    }


def close(plan: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """Run the state."""
    event = {
        "run": RUN,
        "round": 1,
        "planned": plan,
        "written": [],
        "proof": None,
        "undone": False,
        "causes": [CAUSE],
        **more,
    }
    return close_change.handler(event, None)


def wait(aws: Stack, *ids: str) -> None:
    """Let causes wait."""
    aws.table.write({"pk": "causes", "sk": i, "cause": json.dumps({**CAUSE, "id": i})} for i in ids)


APPLY, HOLD, REFUSE = change("a", "apply"), change("h", "hold"), change("r", "refuse")
REPORT = {"surface": "records", "applied": 1, "already": 0, "conflicts": []}
CONFLICTED = {**REPORT, "conflicts": ["a.example.com"]}


@pytest.mark.parametrize(
    ("changes", "more", "outcome"),
    [
        ([], {}, "in_sync"),
        ([change("s", "skip"), change("w", "wait")], {}, "in_sync"),
        ([REFUSE], {}, "refused"),
        ([HOLD, REFUSE], {}, "held"),
        ([APPLY, HOLD, REFUSE], {"written": [REPORT, {}, {}]}, "applied"),
        ([APPLY, HOLD], {"undone": True}, "undone"),
        ([APPLY], {"written": [{"failed": "Unauthorized: no"}]}, "failed"),
        ([APPLY], {"written": [CONFLICTED]}, "failed"),
        ([APPLY], {"undone": True, "written": [CONFLICTED]}, "failed"),
        ([HOLD], {"failure": "Unreachable: no"}, "failed"),
    ],
)
def test_the_first_outcome_that_is_true_is_told(
    aws: Stack, changes: Any, more: dict[str, Any], outcome: str
) -> None:
    """Failed, undone, applied, held, refused, in sync: in the answer and in the journal."""
    answer = close(planned(*changes), **more)

    assert answer["outcome"] == outcome
    head = aws.journal.head(ID)
    assert (head["outcome"] if head else "in_sync") == outcome
    assert answer["change_id"] == (None if outcome == "in_sync" else ID)
    assert bool(answer["why"]) == (outcome in {"failed", "undone"})


def test_the_journal_keeps_what_people_ask_for(aws: Stack) -> None:
    """Why, what came of it, how it was proven, what was left out; and it is closed."""
    aws.journal.begin(ID, {"causes": [CAUSE], "started": "then"})
    aws.journal.receipt(ID, round_of(1, 1), [(APPLY, APPLIED, ""), (HOLD, CONFLICT, "")])

    answer = close(planned(APPLY), proof=PROOF, written=[REPORT])

    head = aws.journal.head(ID)
    assert head
    assert aws.journal.open_change() is None
    assert head["counts"] == answer["plan"]
    assert answer["plan"]["create"] == 1
    assert (head["causes"], head["started"], head["proof"]) == ([CAUSE], "then", PROOF)
    assert head["reports"] == answer["reports"] == ["a route names no parent"]
    assert head["closed"].endswith("Z")


def test_running_it_twice_changes_nothing(aws: Stack) -> None:
    """The answer got lost, the state is tried again: the same answer, the same journal."""
    wait(aws, "one")
    aws.causes.take(RUN["name"], 1, ["one"])
    aws.journal.begin(ID, {"causes": [CAUSE]})
    aws.journal.receipt(ID, round_of(1, 1), [(APPLY, APPLIED, "")])

    first = close(planned(APPLY, HOLD), proof=PROOF)
    head = {**(aws.journal.head(ID) or {}), "closed": ""}
    second = close(planned(APPLY, HOLD), proof=PROOF)

    assert first == second
    assert head == {**(aws.journal.head(ID) or {}), "closed": ""}
    assert len(aws.table.query("decisions")) == 1


def test_only_observed_causes_are_consumed(aws: Stack) -> None:
    """However the run ends; one that came later waits for the next round."""
    wait(aws, "one", "two")
    aws.causes.take(RUN["name"], 1, ["one", "two"])
    wait(aws, "three")

    close(planned(APPLY), failure="Unreachable: no")

    assert [entry.key for entry in aws.causes.waiting()] == ["three"]


def test_a_push_that_could_not_be_read_waits_for_the_next_run(aws: Stack) -> None:
    """Its host was down: the push is neither lost nor does it keep this run from its end."""
    place, now = "github me/homelab main", rfc3339(time.time())
    for key in ("one", "two"):
        ref = f"{place if key == 'one' else 'github me/homelab next'} c1"
        cause = {**CAUSE, "kind": "git", "at": now, "ref": ref}
        aws.table.put({"pk": "causes", "sk": key, "cause": json.dumps(cause)})
    aws.causes.take(RUN["name"], 1, ["one", "two"])

    assert close(planned(missed=[place]))["outcome"] == "in_sync"

    assert [entry.key for entry in aws.causes.waiting()] == ["one"]
    assert aws.table.query(f"run#{RUN['name']}") == []


def test_a_run_that_failed_before_it_planned_is_closed_too(aws: Stack) -> None:
    """There is no change to write down; its causes are consumed, the sweep tries again."""
    wait(aws, "one")
    aws.causes.take(RUN["name"], 1, ["one"])

    answer = close(None, failure="Unreachable: nobody answers")

    assert (answer["change_id"], answer["outcome"]) == (None, "failed")
    assert answer["why"] == "Unreachable: nobody answers"
    assert aws.causes.waiting() == []


def test_holds_and_refusals_are_remembered_with_their_reasons(aws: Stack) -> None:
    """By digest; a refusal is told by the run itself, a hold is still to be told."""
    answer = close(planned(APPLY, HOLD, REFUSE, change("s", "skip"), change("w", "wait")))

    decisions = aws.decisions.known()
    assert decisions.keys() == {HOLD.digest, REFUSE.digest}
    held, refused = decisions[HOLD.digest], decisions[REFUSE.digest]
    assert (held.word, held.key, held.change_id, held.reasons) == ("held", "h", ID, ("why",))
    assert (held.news, refused.word, refused.news) == (True, "refused", False)
    assert answer["to_tell"] == 1


def test_what_people_know_is_not_told_again(aws: Stack) -> None:
    """Not by another run with the same reasons; with others it is news, under the new change."""
    close(planned(HOLD))
    aws.decisions.keep(one.as_told() for one in aws.decisions.known().values())

    same = close({**planned(HOLD), "change_id": "later"})
    kept = aws.decisions.known()[HOLD.digest].change_id
    other = close({**planned(change("h", "hold", "another reason")), "change_id": "later"})

    assert (same["to_tell"], kept, other["to_tell"]) == (0, ID, 1)
    assert aws.decisions.known()[HOLD.digest].change_id == "later"


def test_what_an_undo_has_taken_back_is_not_made_again(aws: Stack) -> None:
    """The net of the change, as the next plan would have it; what was not reverted stays free."""
    aws.journal.begin(ID, {"causes": [CAUSE]})
    aws.journal.receipt(ID, round_of(1, 1), [(APPLY, APPLIED, "")])
    undo = [(APPLY.inverse, APPLIED, ""), (change("c", "apply").inverse, CONFLICT, "")]
    aws.journal.receipt(ID, round_of(1, "1-undo"), undo)

    answer = close(planned(APPLY), undone=True, proof=WORSE)

    (one,) = aws.decisions.known().values()
    assert (one.digest, one.word, one.news) == (APPLY.digest, "undone", True)
    assert one.reasons == ("worse than before: a is down at tcp (tailnet view)",)
    assert answer["to_tell"] == 1


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ([APPLY], [], "applied"),
        ([APPLY], [HOLD], "applied"),
        ([HOLD], [], "held"),
        ([REFUSE], [HOLD], "held"),
        ([], [APPLY], "applied"),
        ([], [], "in_sync"),
    ],
)
def test_one_execution_is_one_change_over_its_rounds(
    aws: Stack, first: Any, second: Any, outcome: str
) -> None:
    """A second round that finds nothing more does not make the first one's change unsaid."""
    one = planned(*first)
    if one["apply"]:
        aws.journal.begin(ID, {"causes": [CAUSE]})
        aws.journal.receipt(ID, round_of(1, 1), [(APPLY, APPLIED, "")])
    earlier = close(one, proof=PROOF if one["apply"] else None)

    answer = close(planned(*second), round=2, causes=[], earlier=earlier)

    assert answer["outcome"] == outcome
    assert answer["change_id"] == (None if outcome == "in_sync" else ID)
    assert answer["plan"]["create"] == (1 if one["apply"] else 0)


def test_a_round_after_an_adopted_change_tells_of_it(aws: Stack) -> None:
    """Its id was the dead run's; the next round would have opened one of its own."""
    aws.journal.begin("dead", {"causes": [CAUSE]})
    aws.journal.receipt("dead", round_of(1, 1), [(APPLY, APPLIED, "")])
    adopted = close({**planned(apply=True), "change_id": "dead"}, proof=PROOF)

    answer = close(planned(), round=2, causes=[], earlier=adopted)

    assert answer == adopted
    assert (answer["change_id"], answer["outcome"]) == ("dead", "applied")


def test_an_adopted_change_ends_as_applied(aws: Stack) -> None:
    """Nothing was left to write: what the dead run wrote is what it came to."""
    aws.journal.begin(ID, {"causes": [CAUSE]})
    aws.journal.receipt(ID, round_of(1, 1), [(APPLY, APPLIED, "")])

    answer = close(planned(apply=True), proof=PROOF, run={**RUN, "name": "successor"})

    assert (answer["outcome"], answer["plan"]["create"]) == ("applied", 1)


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (
            'Unauthorized: {"errorMessage": "the token is dead", "stackTrace": ["secret"]}',
            "Unauthorized: the token is dead",
        ),
        ("States.Timeout: it took too long", "States.Timeout: it took too long"),
        ('Sandbox.Timedout: {"errorMessage": "after 60 s"}', "Sandbox.Timedout: after 60 s"),
    ],
)
def test_a_failure_is_told_in_a_sentence(aws: Stack, failure: str, why: str) -> None:
    """Lambda's cause is JSON with a stack trace: people get what it says."""
    assert close(planned(APPLY), failure=failure)["why"] == why
    assert close(planned(APPLY), written=[{"failed": failure}])["why"] == why


def test_every_failure_is_told(aws: Stack) -> None:
    """Of each surface, and of what could not be read."""
    plan = planned(APPLY, unread={"resolver": "the API server answered 403"})

    why = close(plan, written=[{"failed": "Throttled: slowly"}, CONFLICTED])["why"]

    assert why == (
        "resolver could not be read: the API server answered 403; Throttled: slowly; "
        "records: a.example.com was changed meanwhile"
    )


def test_a_run_that_lost_the_lease_closes_nothing(aws: Stack) -> None:
    """The change is its successor's by now."""
    aws.journal.begin(ID, {"causes": [CAUSE]})
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        close(planned(APPLY))

    assert aws.journal.open_change() == ID
