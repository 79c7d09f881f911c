"""The journal: written ahead, in the order of time, open until somebody closes it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.adapters.journal import APPLIED, CONFLICT, round_of
from tailkeeper.model import Change


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ID = "20261121-230000-aaaaaa"
FIRST = round_of(1, 1)


def change(host: str, after: str | None = "100.64.0.2") -> Change:
    """Return a change of a host."""
    return Change("resolver", host, {"addresses": ["100.64.0.1"]}, {"addresses": [after]})


def test_an_intent_becomes_a_receipt(aws: Stack) -> None:
    """Written before the write; the same entry says afterwards what became of it."""
    aws.journal.intend(ID, FIRST, [change("a"), change("b")])
    intended = {e.change.key: e.state for e in aws.journal.entries(ID)}
    aws.journal.receipt(ID, FIRST, [(change("a"), APPLIED, "42"), (change("b"), CONFLICT, "")])

    assert intended == {"a": "intended", "b": "intended"}
    assert {(e.change.key, e.state, e.receipt) for e in aws.journal.entries(ID)} == {
        ("a", "applied", "42"),
        ("b", "conflict", ""),
    }


def test_an_intent_written_twice_is_one_entry(aws: Stack) -> None:
    """A state that is tried again journals the same change under the same name."""
    aws.journal.intend(ID, FIRST, [change("a")])
    aws.journal.intend(ID, FIRST, [change("a")])

    (entry,) = aws.journal.entries(ID)
    assert entry.change == change("a")


def test_an_entry_too_large_for_an_item_is_whole_again(aws: Stack) -> None:
    """A foreign Corefile of half a megabyte goes to the bucket, where the journal's things stay."""
    taken = Change("resolver", "(document)", {"text": "# long\n" * 80_000}, {"mode": "hosts"})
    aws.journal.intend(ID, FIRST, [change("a"), taken])
    aws.journal.receipt(ID, FIRST, [(taken, APPLIED, "42")])

    found = {entry.change.key: entry for entry in aws.journal.entries(ID)}

    assert (found["(document)"].change, found["(document)"].state) == (taken, APPLIED)
    (item,) = [i for i in aws.table.query(f"change#{ID}") if len(i["change"]) < 200]
    assert json.loads(item["change"])["artifact"].startswith("journal/")


def test_everything_of_the_journal_expires_after_400_days(aws: Stack) -> None:
    """Heads and entries alike, whichever write made them; that which is open is no history."""
    aws.journal.begin(ID, {"causes": []})
    aws.journal.intend(ID, FIRST, [change("a")])
    aws.journal.close(ID, {"outcome": "applied"})

    items = [*aws.table.query("changes"), *aws.table.query(f"change#{ID}")]
    days = {round((item["expires_at"] - time.time()) / 86_400) for item in items}
    assert (len(items), days) == (2, {400})


def test_entries_come_in_the_order_of_time(aws: Stack) -> None:
    """Rounds, an undo between them, then those of the run that adopted the change."""
    numbers = [1, "1-undo", 2, "2-undo", *range(3, 12)]
    rounds = [*(round_of(9, number) for number in numbers), round_of(10, 1)]
    for number, round_ in enumerate(reversed(rounds)):
        aws.journal.intend(ID, round_, [change("a", str(len(rounds) - number))])

    afters = [entry.change.after["addresses"][0] for entry in aws.journal.entries(ID)]

    assert afters == [str(number) for number in range(1, 15)]


def test_a_change_is_open_until_it_is_closed(aws: Stack) -> None:
    """A run that dies leaves it open, and its head as far as it came."""
    assert aws.journal.open_change() is None
    aws.journal.begin(ID, {"causes": [1], "execution": "arn"})
    aws.journal.amend(ID, {"baseline": {"inline": []}})

    assert aws.journal.open_change() == ID
    assert aws.journal.head(ID) == {
        "id": ID,
        "causes": [1],
        "execution": "arn",
        "baseline": {"inline": []},
    }

    aws.journal.close(ID, {"outcome": "applied"})
    aws.journal.close(ID, {"outcome": "applied"})
    assert aws.journal.open_change() is None
    head = aws.journal.head(ID)
    assert head
    assert (head["outcome"], head["execution"]) == ("applied", "arn")


def test_only_its_own_change_is_closed(aws: Stack) -> None:
    """Another run's open change stays open."""
    aws.journal.begin("other", {"causes": []})

    with pytest.raises(ConditionFailed):
        aws.journal.close(ID, {"outcome": "applied"})

    assert aws.journal.open_change() == "other"


def test_heads_come_newest_first(aws: Stack) -> None:
    """Ids begin with the time, so that a list needs no index."""
    for day in (2, 1, 3):
        aws.journal.amend(f"2026112{day}-000000-aaaaaa", {"outcome": "applied"})

    assert [head["id"][:8] for head in aws.journal.heads(2)] == ["20261123", "20261122"]
    assert aws.journal.head("nothing") is None
