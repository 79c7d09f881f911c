"""The story's page, and what the story did not prove."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.cronjob import Simulation, Step
from cli.history import History, Visit
from cli.story.comparison import Comparison
from cli.story.moving import Move
from cli.story.questions import Asked, Expected
from cli.story.report import Story, page
from cli.story.timeline import Moment, moments_of
from sandbox.client import Answer
from tailkeeper.model import Change, Verdict


START = datetime(2026, 11, 22, 9, tzinfo=UTC)
HOST = "<photos>.example.com"
EXPECTED = Expected(HOST, frozenset({"CNAME g.tail.ts.net"}), frozenset({"100.64.0.1"}))
OLD = {"name": "gateway.tail.ts.net", "addresses": ["100.64.0.1"]}
NEW = {"name": "gateway-1.tail.ts.net", "addresses": ["100.64.0.3"]}


def asked(why: str = "", view: str = "tailnet") -> Asked:
    """Return an answer, right unless there is a reason."""
    answer = Answer(HOST, "tailnet", "split-dns", addresses=("100.64.0.1",), status=200)
    public = Answer(HOST, "public", "public-record", records=("CNAME g.tail.ts.net",))
    return Asked(EXPECTED, answer if view == "tailnet" else public, why)


def run() -> History:
    """Return a run with one state."""
    end = START + timedelta(seconds=2)
    visit = Visit("Plan Change", "Task", START + timedelta(seconds=1), left=end)
    return History([visit], "SUCCEEDED", START, end)


@pytest.fixture
def story() -> Story:
    """Return a story in which all went as it should."""
    change = Change("records", HOST, None, {"records": []}, verdict=Verdict("apply", 7, ()))
    simulation = Simulation(0.0, (Step("the schedule fires", 300.0, 0.0, 600.0),))
    right = [asked(), asked(view="public")]
    return Story(
        speed=30,
        move=Move(OLD, NEW, START.timestamp()),
        change_id="20261122-090000-aaaaaa",
        changes=[change],
        asked=(right, [asked("device unreachable"), asked(view="public")], right),
        moments=[Moment("moved", 0.0), Moment("proven", 4.0, "Judge Proof")],
        history=run(),
        definition={"States": {"Plan Change": {}, "Undo": {}}},
        comparison=Comparison("dns/updater", "*/10 * * * *", simulation, ("the records",)),
    )


def test_page(story: Story) -> None:
    """The page names what happened, escapes what it shows, and loads nothing from anywhere."""
    made = page(story)

    assert "<photos>" not in made
    assert "&lt;photos&gt;.example.com" in made
    assert "gateway-1.tail.ts.net" in made
    assert "2 min 00 s" in made  # four seconds, thirty times as fast
    assert "device unreachable" in made
    assert "5 min 00 s on this event" in made
    assert not re.search(r"(src|href)=|url\((?!#)|@import|\$\w", made)


def test_page_without_a_cronjob(story: Story) -> None:
    """Where there is nothing to compare with, the page says so."""
    assert "no updater CronJob" in page(replace(story, comparison=None))


@pytest.mark.parametrize(
    ("before", "during", "after", "doubt"),
    [
        ("", "down", "", ""),
        ("x", "down", "", "before the move, <photos>.example.com"),
        ("", "down", "leads to 100.64.0.9", "after the move, <photos>.example.com"),
        ("", "", "", "still answered"),
    ],
)
def test_doubts(story: Story, before: str, during: str, after: str, doubt: str) -> None:
    """The story is proven if all was right, then every way was broken, then all right again."""
    told = replace(story, asked=([asked(before)], [asked(during)], [asked(after)]))

    assert [doubt in found for found in told.doubts] == ([True] if doubt else [])


def test_device_that_carried_nothing(story: Story) -> None:
    """A move that touches no name proves nothing."""
    elsewhere = Move({**OLD, "addresses": ["100.64.0.9"]}, NEW, 0.0)

    assert replace(story, move=elsewhere).doubts == ["the device that moved carried no name"]


def test_moments() -> None:
    """The moments come in their order, whoever saw them."""
    event = START.timestamp() - 1
    proof = {"views": {"public": (START + timedelta(seconds=3)).isoformat()}}

    moments = moments_of(
        event,
        acknowledged=event + 0.5,
        history=run(),
        head={"proof": proof},
        answered={("tailnet", "split-dns"): event + 9},
    )

    assert [(moment.after, moment.by) for moment in moments] == [
        (0.0, ""),
        (0.5, "receiver"),
        (1.0, "bus"),
        (3.0, "Plan Change"),
        (3.0, ""),
        (4.0, "Judge Proof"),
        (9.0, "the client"),
    ]
