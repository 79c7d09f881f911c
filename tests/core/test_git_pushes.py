"""Which commits causes tell of, what a status says of a plan, and what is asked for again."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tailkeeper.git.hosts import DATA_CENTER, HOSTS, Host, words
from tailkeeper.git.pushes import DAY, Push, goes_on_waiting, pushes_of
from tailkeeper.git.redelivery import MOST_TRIES, to_ask
from tailkeeper.git.status import page, verdict_of
from tailkeeper.model import Cause
from tailkeeper.moments import rfc3339


NOW = 1_800_000_000.0
COUNTS = dict.fromkeys(("create", "update", "delete", "skipped", "waiting", "held", "refused"), 0)


def pushed(ref: str, at: int = 0, kind: Any = "git") -> Cause:
    """Return a push's cause."""
    return Cause(kind, ref, f"2026-11-21T23:00:{at:02}Z", "me", ref)


def test_the_latest_commit_of_a_branch_wins_in_whatever_order() -> None:
    """What was there before is what the first of them says."""
    causes = [
        pushed("github me/homelab main c1 c0", 1),
        pushed("github me/homelab main c2 c1", 2),
        pushed("github me/homelab main c3 c2", 3),
    ]

    for order in permutations(causes):
        (push,) = pushes_of(order)
        assert (push.sha, push.before, push.pull) == ("c3", "c0", "")


@pytest.mark.parametrize(
    ("ref", "age", "waits"),
    [
        ("github me/homelab main c1 c0", 60, True),
        ("github me/homelab main c1 c0", DAY, False),
        ("github me/homelab next c1 c0", 60, False),
        ("gitea me/homelab main c1 c0", 60, False),
        ("nonsense", 60, False),
    ],
)
def test_a_push_that_could_not_be_read_waits_for_a_day(ref: str, age: float, waits: bool) -> None:  # noqa: FBT001
    """And no other cause with it."""
    cause = Cause("git", "id", rfc3339(NOW - age), "me", ref)

    assert goes_on_waiting(cause, ["github me/homelab main"], NOW) == waits


def test_branches_and_pull_requests_are_apart() -> None:
    """Other causes, and refs that are none, are passed over."""
    causes = [
        pushed("github me/homelab main c1"),
        pushed("gitea me/homelab main c1"),
        pushed("github me/homelab pull/7 c9"),
        pushed("github me/homelab main"),
        pushed("github me/homelab new c1 0000"),
        pushed("nodeCreated n1 gw x", kind="tailscale"),
    ]

    found = pushes_of(causes)

    assert sorted((p.provider, p.branch, p.pull) for p in found) == [
        ("gitea", "main", ""),
        ("github", "main", ""),
        ("github", "new", ""),
        ("github", "pull/7", "7"),
    ]
    assert {push.before for push in found} == {""}
    assert [Push.from_json(push._asdict()) for push in found] == found


@pytest.mark.parametrize(
    ("counts", "troubles", "state", "text"),
    [
        ({}, [], "success", "no changes"),
        ({"create": 1}, [], "success", "1 change"),
        ({"create": 1, "delete": 2, "held": 1}, [], "failure", "3 changes, 1 held"),
        ({"refused": 2}, [], "failure", "2 refused"),
        ({"waiting": 2}, [], "success", "2 waiting"),
        ({"create": 1}, ["a.yaml:3 is broken", "b"], "failure", "a.yaml:3 is broken"),
    ],
)
def test_the_words_of_a_status(
    counts: dict[str, int], troubles: list[str], state: str, text: str
) -> None:
    """It fails when something would be stopped, or could not be read."""
    assert verdict_of({**COUNTS, **counts}, troubles) == (state, text)


def test_a_page_shows_what_a_pusher_wrote_as_text() -> None:
    """Names and reasons may say anything; none of it is markup."""
    change = {
        "action": "Create",
        "key": "<script>",
        "surface": "records",
        "place": "example.com",
        "before": None,
        "after": {"records": [{"type": "CNAME", "content": "gw&co"}]},
        "verdict": {"word": "apply", "reasons": ["<b>"]},
    }

    html = page("<i>", [change], ["<u>"])

    assert not any(tag in html for tag in ("<script>", "<b>", "<i>", "<u>"))
    assert "CNAME gw&amp;co" in html
    assert "No changes" in page("x", [], [])


@pytest.mark.parametrize("host", [*HOSTS.values(), DATA_CENTER])
def test_every_host_takes_a_status(host: Host) -> None:
    """The state in its own words, and no more text than GitHub takes."""
    path, body = host.status("me/homelab", "5ea", words("failure", "x" * 300, "https://a.example"))

    said = f"{path} {body}"
    assert "5ea" in path
    assert any(word in said for word in ("'failure'", "state=failed", "'FAILED'"))
    assert "x" * 139 in said
    assert "x" * 140 not in said


def test_names_in_paths_are_escaped_as_the_host_wants_them() -> None:
    """GitLab takes a project's whole name as one part of the path."""
    way = "/{repo}/{branch}"

    assert HOSTS["gitlab"].path(way, "a/b", branch="x/y") == "/a%2Fb/x%2Fy"
    assert HOSTS["github"].path(way, "a/b", branch="x/y?z") == "/a/b/x/y%3Fz"
    assert DATA_CENTER.path(way, "~me/b", branch="x/y") == "/~me/repos/b/x/y"


def tried(identity: int, guid: str, status: int, age: float = 60) -> dict[str, Any]:
    """Return a delivery as GitHub lists it."""
    moment = rfc3339(NOW - age)
    return {"id": identity, "guid": guid, "delivered_at": moment, "status_code": status}


@pytest.mark.parametrize(
    ("deliveries", "asked"),
    [
        ([], []),
        ([tried(1, "a", 202)], []),
        ([tried(1, "a", 503)], [1]),
        ([tried(1, "a", 0)], [1]),
        ([tried(2, "a", 202), tried(1, "a", 503)], []),
        ([tried(2, "a", 503), tried(1, "a", 503), tried(3, "b", 500)], [2, 3]),
        ([tried(1, "a", 503, age=4 * 24 * 3600)], []),
        ([tried(n, "a", 401) for n in range(MOST_TRIES)], []),
        ([tried(n, str(n), 500) for n in range(100)], list(range(20))),
    ],
)
def test_what_is_asked_for_again(deliveries: list[dict[str, Any]], asked: list[int]) -> None:
    """The last try of what was never accepted, while GitHub still has it, and not for ever."""
    assert to_ask(deliveries, NOW) == asked
