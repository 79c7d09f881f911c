"""The inbox by the clock: a claim lasts a minute, a seen event 25 hours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.inbox import HandOverFailed, Inbox
from tailkeeper.model import Cause


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

HOUR = 3600
CAUSES = {name: Cause("git", name, "2026-11-21T23:00:00Z", "me") for name in ("a", "b")}
REFUSED: Any = {"body": {"FailedEntryCount": 1, "Entries": [{}]}}


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: float = 1_795_400_000.5

    def __call__(self) -> float:
        """Return the time."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def inbox(line: Line, clock: Clock) -> Inbox:
    """Return an inbox over the line, by the clock."""
    return Inbox(now=clock)


def test_a_claim_lasts_a_minute(inbox: Inbox, clock: Clock) -> None:
    """A receiver that died with an event in its hands blocks its repeat for so long."""
    assert inbox.claim("a")
    clock.at += 59
    assert not inbox.claim("a")
    clock.at += 1
    assert inbox.claim("a")


def test_an_event_is_seen_for_25_hours(inbox: Inbox, clock: Clock) -> None:
    """Tailscale repeats for a day; a replay after that fails by its signature's time."""
    inbox.take_in("tailscale", CAUSES)
    clock.at += 25 * HOUR - 1
    assert not inbox.claim("a")
    clock.at += 2
    assert inbox.claim("a")


@pytest.mark.parametrize("failure", [{"status": 500, "times": 3}, REFUSED])
def test_a_failed_hand_over_frees_every_event_of_it(
    inbox: Inbox, line: Line, failure: dict[str, object]
) -> None:
    """All of the delivery comes again: what the bus did take, it takes twice without harm."""
    line.fail("PutEvents", **failure)  # type: ignore[arg-type]  # one fault, in words

    with pytest.raises(HandOverFailed):
        inbox.take_in("tailscale", CAUSES)

    assert inbox.take_in("tailscale", CAUSES) == 2


def test_what_another_delivery_has_in_its_hands_is_not_acknowledged(
    inbox: Inbox, clock: Clock, line: Line
) -> None:
    """It may die with it: the repeat is asked for until the event is durable, and then ignored."""
    inbox.claim("b")

    with pytest.raises(HandOverFailed, match="in its hands"):
        inbox.take_in("git", CAUSES)

    assert "PutEvents" not in line.operations
    assert inbox.take_in("git", {"a": CAUSES["a"]}) == 1, "freed again"
    clock.at += 60
    assert inbox.take_in("git", CAUSES) == 1
    assert inbox.take_in("git", CAUSES) == 0


def test_a_mark_that_was_given_up_is_not_taken_for_one_that_was_seen(
    inbox: Inbox, line: Line
) -> None:
    """A repeat that comes just when the hand-over fails must not be lost with it."""
    line.fail("PutEvents", **REFUSED)
    with pytest.raises(HandOverFailed):
        inbox.take_in("git", CAUSES)

    assert [inbox.seen("a"), inbox.seen("never told")] == [False, False]


def test_a_dry_run_is_handed_over_as_one(inbox: Inbox, line: Line) -> None:
    """The bus carries what starts the machine: causes, and `dry_run` where nothing may be done."""
    inbox.take_in("git", {"a": CAUSES["a"]}, dry_run=True)
    inbox.take_in("git", {"b": CAUSES["b"]})

    put = [given["Entries"][0] for called, given in line.calls if called == "PutEvents"]
    assert [json.loads(entry["Detail"]) for entry in put] == [
        {"causes": [CAUSES["a"].as_json()], "dry_run": True},
        {"causes": [CAUSES["b"].as_json()]},
    ]
    assert {entry["Source"] for entry in put} == {"tailkeeper.git"}


def test_a_call_of_the_bus_stays_below_its_limits(inbox: Inbox, line: Line) -> None:
    """PutEvents takes ten entries and 256 KB at once; a delivery of 1 MiB may hold more."""
    name = "n" * 200
    ids = [f"{n:064}" for n in range(501)]
    causes = {id_: Cause("tailscale", id_, "2026-11-21T23:00:00Z", "t", name) for id_ in ids}

    line.fail("PutItem", times=len(causes), body={})  # five hundred marks, which are not the point
    inbox.hand_over("tailscale", causes, dry_run=False)

    sizes = [len(json.dumps(given)) for called, given in line.calls if called == "PutEvents"]
    assert len(sizes) == 2
    assert max(sizes) < 256 * 1024


def test_poison_of_one_second_is_kept_side_by_side(inbox: Inbox, clock: Clock, aws: Stack) -> None:
    """The same poison again is one item; it is cut to what an item can hold."""
    inbox.keep_poison("tailscale", ["one", "x" * 500_000])
    inbox.keep_poison("tailscale", ["two"])
    inbox.keep_poison("tailscale", ["one"])

    kept = aws.table.query("poison")
    assert sorted(len(item["text"]) for item in kept) == [3, 3, 100_000]
    assert {item["sk"].split("#")[1] for item in kept} == {"tailscale"}
