"""Gather Causes: what waits, noted as seen; newcomers first; a dead run's change adopted."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from functions import gather_causes
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.decisions.decision import Decision
from tailkeeper.moments import rfc3339
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ALL = ["records", "resolver", "split-dns"]


def cause(number: int, kind: str = "tailscale", ref: str = "nodeCreated n1 gw") -> dict[str, str]:
    """Return a cause of the given second."""
    at = f"2026-11-21T23:{number // 60:02}:{number % 60:02}Z"
    return {"kind": kind, "id": f"id{number}", "at": at, "by": "tag:k8s", "ref": ref}


def store(aws: Stack, *causes: dict[str, str], surfaces: Any = None) -> None:
    """Store causes as the Converge machine does."""
    aws.table.write(
        {
            "pk": "causes",
            "sk": f"{each['at']}#{each['id']}",
            "cause": json.dumps(each),
            "surfaces": json.dumps(surfaces or ALL),
        }
        for each in causes
    )


def gather(**more: Any) -> dict[str, Any]:
    """Run the state."""
    event = {"run": RUN, "round": 1, "config": {}, "causes": [cause(0)], "surfaces": ALL, **more}
    return gather_causes.handler(event, None)


def test_everything_that_waits_is_gathered_and_noted(aws: Stack) -> None:
    """Oldest first; the note lets the run's end consume just these."""
    store(aws, cause(2), cause(1))

    gathered = gather(round=3)

    assert gathered == {
        "asked": 0,
        "causes": [cause(1), cause(2)],
        "count": 2,
        "devices": ["n1"],
        "approved": [],
        "pushes": [],
        "proposed": False,
        "surfaces": ALL,
        "listing": False,
        "adopted": None,
    }
    (note,) = aws.table.query("run#run")
    assert (note["sk"], len(note["keys"])) == ("round#0003", 2)


def test_newcomers_are_counted_before_their_causes_are_read(aws: Stack, line: Line) -> None:
    """A cause that comes in between is read, and asked for once more: never too seldom."""
    aws.table.update("lease", "stack", "SET asked = :n", n=4)

    assert gather()["asked"] == 4

    assert line.operations.index("UpdateItem") < line.operations.index("Query")
    assert "UpdateItem" not in line.operations[line.operations.index("Query") :]


@pytest.mark.parametrize(
    ("asked", "surfaces"),
    [
        ([["records"], ["split-dns"]], ["records", "split-dns"]),
        ([["resolver"], ALL], ALL),
        ([], ALL),
    ],
)
def test_the_surfaces_of_coalesced_causes_unite(
    aws: Stack, asked: list[list[str]], surfaces: list[str]
) -> None:
    """In their own order; without any cause, everything is looked at."""
    for number, which in enumerate(asked):
        store(aws, cause(number), surfaces=which)

    assert gather()["surfaces"] == surfaces


@pytest.mark.parametrize(
    ("kind", "ref", "devices"),
    [
        ("tailscale", "nodeCreated n7 gateway-envoy-1.tail.ts.net", ["n7"]),
        ("tailscale", "policyUpdate - -", []),
        ("tailscale", "", []),
        ("sweep", "found by sweep: 3 changes", []),
    ],
)
def test_devices_are_those_that_tailscale_told_of(
    aws: Stack, kind: str, ref: str, devices: list[str]
) -> None:
    """Settling looks for these in the cluster."""
    store(aws, cause(1, kind, ref))

    assert gather()["devices"] == devices


def approval(number: int, ref: str, *, age: float = 0) -> dict[str, str]:
    """Return an approval by somebody, so many seconds ago."""
    at = rfc3339(time.time() - age)
    return {"kind": "approval", "id": "change-1", "at": at, "by": f"ada {number}", "ref": ref}


def stand(aws: Stack, *digests: str, word: Any = "held", age: float = 60) -> None:
    """Let a decision on each digest stand for so many seconds."""
    since, expires = rfc3339(time.time() - age), int(time.time()) + 1000
    aws.decisions.keep(Decision(d, word, "change-1", since, expires) for d in digests)


def test_approvals_unite_and_only_an_approval_approves(aws: Stack) -> None:
    """Each names digests; another cause's words are no digests, whatever they look like."""
    stand(aws, "d1", "d2", "d9")
    store(aws, approval(1, "d2 d1"), cause(2, "git", "d9"), approval(3, "d2 d3", age=1))

    gathered = gather()

    assert gathered["approved"] == ["d1", "d2", "d3"]
    words = {one.digest: one.word for one in aws.decisions.known().values()}
    assert words == {"d1": "approved", "d2": "approved", "d3": "approved", "d9": "held"}
    assert [each["ref"] for each in gathered["causes"] if each["kind"] == "approval"] == ["", ""]


def test_an_approval_lifts_what_was_rejected_before_it_and_not_after(aws: Stack) -> None:
    """Who spoke last is heard, in whatever order a run reads it."""
    stand(aws, "before", "undone-before", word="rejected", age=60)
    stand(aws, "after", word="rejected", age=0)
    stand(aws, "undone-after", word="undone", age=0)
    store(aws, approval(1, "before undone-before after undone-after", age=30))

    assert gather()["approved"] == ["before", "undone-before"]


@pytest.mark.parametrize("at", ["2026-11-01T08:00:00Z", "2026", "yesterday"])
def test_an_approval_that_was_never_carried_out_expires(aws: Stack, at: str) -> None:
    """What it was about is asked anew, not done; a moment that nobody can read is none."""
    stand(aws, "d1")
    stand(aws, "d2", word="rejected")
    stand(aws, "d3", word="undone")
    aws.decisions.keep(one.as_told() for one in aws.decisions.known().values())
    store(aws, {**approval(1, "d1 d2 d3"), "at": at})

    assert gather()["approved"] == []
    left = {one.digest: (one.word, one.news) for one in aws.decisions.known().values()}
    assert left == {"d2": ("rejected", False), "d3": ("undone", True)}


def test_an_approval_of_hundreds_is_an_object_of_the_bucket(aws: Stack) -> None:
    """A cause must fit into an execution's input."""
    digests = [f"{n:064}" for n in range(300)]
    made = aws.decisions.approval("change-1", digests, "ada")
    store(aws, made.as_json())

    gathered = gather()

    assert len(json.dumps(made.as_json())) < 300
    assert gathered["approved"] == digests
    assert len(aws.decisions.known()) == 300


@pytest.mark.parametrize(
    ("kinds", "listing"),
    [
        (("tailscale", "git", "flux"), False),
        (("tailscale", "approval"), True),
        (("tailscale", "sweep"), True),
        (("person",), True),
        (("undo",), True),
        ((), True),
    ],
)
def test_zones_are_listed_unless_every_cause_says_what_it_is_about(
    aws: Stack, kinds: tuple[str, ...], *, listing: bool
) -> None:
    """A sweep's and a person's runs look at everything, as does one without a cause."""
    store(aws, *(cause(n, kind) for n, kind in enumerate(kinds)))

    assert gather()["listing"] == listing


def test_a_thousand_causes_are_shown_as_twenty(aws: Stack, line: Line) -> None:
    """A state's payload stays small; all that were read are counted and noted."""
    store(aws, *(cause(n, ref=f"nodeCreated n{n} gw") for n in range(1010)))
    line.calls.clear()

    gathered = gather()

    assert (gathered["count"], len(gathered["causes"]), len(gathered["devices"])) == (
        1000,
        20,
        200,
    )
    assert len(json.dumps(gathered)) < 10_000
    (note,) = aws.table.query("run#run")
    assert len(note["keys"]) == 1000


def test_a_change_that_a_dead_run_left_open_is_adopted(aws: Stack) -> None:
    """Its writes are known, and its Probe Before is the baseline."""
    aws.journal.begin("20261121-220000-dead00", {"causes": []})

    assert gather()["adopted"] == "20261121-220000-dead00"


def test_a_dry_run_gathers_its_own_causes_and_writes_nothing(aws: Stack, line: Line) -> None:
    """It neither takes what waits nor adopts what is open."""
    store(aws, cause(5))
    aws.journal.begin("20261121-220000-dead00", {"causes": []})
    line.calls.clear()

    gathered = gather(run={**RUN, "fence": 0, "dry_run": True}, surfaces=["resolver"])

    assert (gathered["causes"], gathered["surfaces"]) == ([cause(0)], ["resolver"])
    assert gathered["adopted"] is None
    assert line.calls == []


def test_a_run_that_lost_the_lease_takes_nothing(aws: Stack) -> None:
    """The causes are its successor's."""
    store(aws, cause(1))
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        gather()

    assert aws.table.query("run#run") == []
    assert len(aws.causes.waiting()) == 1


def pushed(number: int, branch: str, sha: str) -> dict[str, str]:
    """Return a push's cause."""
    ref = f"github me/homelab {branch} {sha} 0ld"
    at = f"2026-11-21T23:00:{number:02}Z"
    return {"kind": "git", "id": f"github:{number}", "at": at, "by": "me", "ref": ref}


def test_a_storm_of_pushes_is_the_latest_commit_of_each_branch(aws: Stack) -> None:
    """A pull request among them is not heeded: this run writes."""
    causes = [pushed(n, "main", f"c{n}") for n in range(30)] + [pushed(40, "pull/7", "c9")]
    store(aws, *causes)

    gathered = gather()

    assert [(push["branch"], push["sha"]) for push in gathered["pushes"]] == [("main", "c29")]
    assert not gathered["proposed"]


def test_a_dry_run_heeds_a_pull_request(aws: Stack) -> None:
    """It gathers its own causes only."""
    gathered = gather(run={**RUN, "fence": 0}, causes=[pushed(1, "pull/7", "c9")])

    assert [push["branch"] for push in gathered["pushes"]] == ["pull/7"]
    assert gathered["proposed"]
