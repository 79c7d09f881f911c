"""What people are told: how many, which, why, and how to decide, whatever the number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tailkeeper.decisions import page as decision_page
from tailkeeper.decisions.decision import Decision
from tailkeeper.decisions.telling import subject, text
from tailkeeper.model import Change, Verdict


RECORDS = {"records": [{"type": "CNAME", "content": "gw.tail.ts.net"}], "resource": ""}
LINK = "https://api.example/changes/one?token=1.2.3"


def held(*keys: str, reason: str = "httproute shrank to nothing", row: int = 8) -> list[Decision]:
    """Return held deletes."""
    return [
        Decision.on(
            Change("records", key, RECORDS, None, "example.com").judged(
                Verdict("hold", row, (reason,))
            ),
            "held",
            "one",
            0.0,
        )
        for key in keys
    ]


def test_a_message_says_what_is_held_and_how_to_decide() -> None:
    """One message for all of it, in words, with the command and the link."""
    assert subject(held("a", "b")) == "tailkeeper holds 2 changes of example.com"
    assert text("one", held("a.example.com"), LINK, 86_400) == (
        "Change one: 1 change waits for you. Nothing else is held up.\n\n"
        "httproute shrank to nothing:\n"
        "  delete a.example.com: CNAME gw.tail.ts.net (records)\n\n"
        "See the plan and decide; the link works once, until 1970-01-02 00:00 UTC:\n"
        f"  {LINK}\n\n"
        "Or decide on the command line:\n"
        "  tailkeeper approve one\n"
        "  tailkeeper reject one\n\n"
        "What has moved by then is held again, and you are asked again.\n"
    )


@pytest.mark.parametrize(
    ("action", "before", "after", "said"),
    [
        ("create", None, RECORDS, "create a: CNAME gw.tail.ts.net"),
        ("update", RECORDS, {"records": []}, "update a: CNAME gw.tail.ts.net -> "),
    ],
)
def test_each_action_has_its_sentence(action: str, before: Any, after: Any, said: str) -> None:
    """As an operator would say it."""
    change = Change("records", "a", before, after, "z").judged(Verdict("hold", 12, ("why",)))

    assert said in text(action, [Decision.on(change, "held", "one", 0.0)], "", 0)


def test_ten_thousand_holds_are_one_short_message() -> None:
    """SNS takes 256 KB, a person less: the first few of each reason, and how many more."""
    many = held(*(f"h{n}" for n in range(9_000)))
    many += [one for n in range(1_000) for one in held(f"x{n}", reason=f"reason {n}")]

    message = text("one", many, LINK, 0)

    assert "... and 8995 more" in message
    assert "... and 991 reasons more" in message
    assert len(message) < 4_000
    assert len(subject(held("a" * 300))) <= 100


def test_what_was_taken_back_is_told_with_how_to_lift_it() -> None:
    """An automatic undo stands until somebody approves: who does not know that waits for ever."""
    worse = "worse than before: a is down at tcp (tailnet view)"
    undone = [replace(one, word="undone") for one in held("a", reason=worse)]

    message = text("one", undone, LINK, 0)

    assert subject(undone) == "tailkeeper took back 1 change of example.com"
    assert (
        subject([*undone, *held("b")])
        == "tailkeeper took back 1 change and holds 1 change of example.com"
    )
    assert message.startswith(
        "Change one: 1 change taken back, and not made again until you approve."
    )
    assert worse in message
    assert "tailkeeper approve one" in message
    assert "not for approval" not in message


def test_what_no_approval_helps_is_said_to_be_so() -> None:
    """Another writer must stop; a button would promise too much."""
    message = text("one", held("a", reason="ExternalDNS is at work", row=2), LINK, 0)

    assert "not for approval" in message
    assert "tailkeeper approve" not in message
    assert LINK not in message


HOSTILE = "<script>alert(1)</script>&\"'"


def test_a_page_is_text_whatever_names_hold() -> None:
    """Names and reasons come from clusters: nothing of them is markup."""
    page = decision_page.plan_page("one", held(HOSTILE, reason=HOSTILE), f'"{HOSTILE}')

    assert "<script" not in page
    assert page.count("<form") == 2
    assert "&lt;script&gt;" in page


def test_a_page_loads_nothing_and_is_not_kept() -> None:
    """No script, no picture, no frame around it, no address passed on."""
    headers, page = decision_page.HEADERS, decision_page.plan_page("one", held("a"), "t")

    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert not any(word in page for word in ("src=", "http://", "https://", "<link", "@import"))


def test_a_page_of_thousands_stays_readable() -> None:
    """It shows the first five hundred, and says how many more."""
    page = decision_page.plan_page("one", held(*(f"h{n}" for n in range(700))), "t")

    assert (page.count("<li>"), "and 200 more" in page) == (500, True)
