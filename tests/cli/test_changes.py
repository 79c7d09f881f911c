"""`tailkeeper changes`: causes in words, durations from the event on, one change in full."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.causes import cause_text, causes_text
from cli.commands.changes import document_of, show_list, show_one
from cli.commands.run import code_of
from cli.deployments import Deployment
from cli.durations import durations, moments, took
from cli.executions import Ended, is_of
from cli.journal import Entry
from cli.screen import Screen
from tailkeeper.model import Change, Verdict


HEAD: dict[str, Any] = {
    "id": "20261121-230000-aaaaaa",
    "outcome": "applied",
    "causes": [{"kind": "undo", "id": "X", "at": "2026-11-22T00:00:00+01:00", "by": "me"}],
    "undoes": "X",
    "undone_by": ["Y"],
    "started": "2026-11-21T23:00:01.000Z",
    "planned": "2026-11-21T23:00:02.000Z",
    "closed": "2026-11-21T23:02:05.500Z",
    "counts": {"update": 1},
    "reports": ["a route names no parent"],
    "proof": {
        "word": "worse",
        "states": {"down": 1},
        "views": {"public": "2026-11-21T23:00:04.000Z"},
        "failing": [
            {
                "view": "tailnet",
                "host": "a.example.com",
                "path": "split-dns",
                "state": "down",
                "hop": "tcp",
                "detail": "refused",
            }
        ],
    },
}
A, B = ({"addresses": [f"100.64.0.{n}"]} for n in (1, 2))
CHANGE = Change("resolver", "a.example.com", A, B).judged(Verdict("apply", 7, ("it has moved",)))
ENTRIES = [
    Entry(CHANGE, "applied", "42", "000001-0001", "2026-11-21T23:00:03.000Z"),
    Entry(CHANGE.inverse, "applied", "43", "000001-0001-undo", "2026-11-21T23:00:09.000Z"),
    Entry(CHANGE, "conflict", "", "000002-0001", "2026-11-21T23:00:10.000Z"),
]


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ({"kind": "tailscale", "ref": "nodeCreated n2 gw-1.ts.net"}, "nodeCreated of gw-1.ts.net"),
        ({"kind": "tailscale", "ref": ""}, "Tailscale's event"),
        (
            {"kind": "git", "by": "ann", "ref": "github me/lab main 0123456789abcdef"},
            "push of 0123456789 to me/lab main (by ann)",
        ),
        ({"kind": "git", "ref": "gitea me/lab pull/7 0123"}, "pull request 7 of me/lab"),
        ({"kind": "git", "ref": ""}, "a push of"),
        ({"kind": "flux", "ref": "Kustomization/a/b main@1"}, "applied Kustomization/a/b main@1"),
        ({"kind": "sweep", "ref": "found by sweep: 1"}, "found by sweep: 1"),
        ({"kind": "person", "by": "ann", "ref": "run"}, "asked for: run (by ann)"),
        ({"kind": "approval", "id": "X", "by": "ann"}, "approval of change X (by ann)"),
        ({"kind": "undo", "id": "X", "by": "ann"}, "undo of X (by ann)"),
        ({"kind": "rumour", "id": "7"}, "rumour: 7"),
    ],
)
def test_a_cause_in_words(cause: dict[str, str], words: str) -> None:
    """Every kind of cause is said as people say it, also without its details."""
    assert words in cause_text(cause)


def test_many_causes() -> None:
    """The first one is told, and the others counted."""
    assert causes_text([]) == ""
    assert causes_text([{"kind": "sweep", "ref": "a"}, {"kind": "sweep"}]) == "a and 1 more"


def test_durations_are_counted_from_the_event() -> None:
    """Whatever zone it names; the moments in order, each view's among them; an undo's is later."""
    assert durations(moments(HEAD, ENTRIES)) == {
        "event": 0.0,
        "started": 1.0,
        "planned": 2.0,
        "applied": 9.0,
        "public view right": 4.0,
        "closed": 125.5,
    }
    assert (took(HEAD), took({"started": HEAD["started"]})) == (124.5, None)
    assert durations(moments({"causes": [{"at": "soon"}], "started": "then"})) == {}


def test_one_change_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """Who, what it undoes, when, the proof, each value with its reasons; within 100 columns."""
    show_one(Screen(), HEAD, ENTRIES)

    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 100
    for words in (
        "Change 20261121-230000-aaaaaa: applied",
        "undo of X (by me)",
        "undone   by Y",
        "2026-11-21T23:00:04.000Z  +4.00 s  public view right",
        "down at tcp: tailnet, a.example.com, split-dns: refused",
        "-> 100.64.0.2",
        "apply: it has moved",
        "taken back, 43",
        "conflict",
        "a route names no parent",
    ):
        assert words in told
    assert "\x1b" not in told


def test_json_leaves_nothing_out() -> None:
    """Head, durations and entries, as one document."""
    document = document_of(HEAD, ENTRIES)

    assert document.items() >= HEAD.items()
    assert document["durations"]["closed"] == 125.5
    assert [entry["state"] for entry in document["entries"]] == ["applied", "applied", "conflict"]
    json.dumps(document)


def test_a_list_tells_what_was_undone(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first, as they are given; one that is open has no duration."""
    show_list(Screen(), [HEAD, {"id": "open-one"}])

    told = capsys.readouterr().out.splitlines()
    assert max(map(len, told)) <= 100
    assert [row.split()[0] for row in told if "-" in row[:20]][-2:] == [HEAD["id"], "open-one"]
    assert any("applied, undone" in row and "2 min" in row for row in told)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ({"outcome": "applied", "undoes": "X", "plan": {"refused": 0}}, 0),
        ({"outcome": "in_sync", "undoes": "X", "plan": {"refused": 0}}, 0),
        ({"outcome": "applied", "undoes": "X", "plan": {"refused": 1}}, 3),
        ({"outcome": "refused", "undoes": "X", "plan": {"refused": 2}}, 3),
        ({"outcome": "applied", "plan": {"refused": 1}}, 0),
        (None, 1),
    ],
)
def test_what_an_undo_ends_with(output: Any, code: int) -> None:
    """0 when all of it is undone, 3 when a part was left to others, 1 when it failed."""
    assert code_of(Ended("arn", "SUCCEEDED" if output else "FAILED", output)) == code


def test_whose_execution_it_is() -> None:
    """By the state machine's name in its ARN."""
    there = Deployment({"Undo": "arn:aws:states:r:1:stateMachine:s-Undo"}, "table", "bucket")

    assert is_of(there, "Undo", "arn:aws:states:r:1:execution:s-Undo:x")
    assert not is_of(there, "Undo", "arn:aws:states:r:1:execution:s-Converge:x")
    assert not is_of(there, "Rotate", "arn:aws:states:r:1:execution::x")
