"""Tell People: one message about what is new, never twice, and never a lost one for good."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from functions import tell_people
from tailkeeper.adapters.aws import AwsError
from tailkeeper.decisions.decision import Decision
from tailkeeper.model import Change, Verdict
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from collections.abc import Callable

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ID = "20261121-230000-aaaaaa"
EVENT = {"change_id": ID, "config": {}}


@pytest.fixture
def heard(aws: Stack) -> Callable[[], list[dict[str, Any]]]:
    """Return what a subscriber hears."""
    sqs, sns = (client(aws.aws.endpoint, name) for name in ("sqs", "sns"))
    url = sqs.create_queue(QueueName=os.environ["TABLE"])["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=os.environ["TOPIC"], Protocol="sqs", Endpoint=arn)
    set_secret("LINK_SECRET", {"key": "k" * 64})

    def listen() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    return listen


def hold(aws: Stack, *keys: str, word: Any = "held", change_id: str = ID) -> None:
    """Let a run have held changes of which nobody knows."""
    aws.decisions.keep(
        Decision.on(
            Change("records", key, {"records": []}, None, "example.com").judged(
                Verdict("hold", 8, ("source is empty",))
            ),
            word,
            change_id,
            time.time(),
        )
        for key in keys
    )


def tell() -> dict[str, Any]:
    """Run the state."""
    return tell_people.handler(EVENT, None)


def test_one_message_tells_of_all_that_is_new(aws: Stack, heard: Any) -> None:
    """Of this change's holds only; then they are known."""
    hold(aws, "a", "b", "c")
    hold(aws, "known", word="rejected")
    hold(aws, "other", change_id="another")

    assert tell() == {"told": 3}

    (message,) = heard()
    assert message["Subject"] == "tailkeeper holds 3 changes of example.com"
    assert f"https://api.example/changes/{ID}?token=" in message["Message"]
    assert "other" not in message["Message"]
    assert not any(d.news for d in aws.decisions.known().values() if d.change_id == ID)


def test_what_was_taken_back_is_told(aws: Stack, heard: Any) -> None:
    """Nobody approves what he does not know of; what is known, or rejected, is not told again."""
    hold(aws, "a", word="undone")

    assert [tell(), tell()] == [{"told": 1}, {"told": 0}]

    (message,) = heard()
    assert message["Subject"] == "tailkeeper took back 1 change of example.com"
    assert f"tailkeeper approve {ID}" in message["Message"]


def test_a_second_try_sends_nothing_twice(aws: Stack, heard: Any) -> None:
    """The answer got lost, and the state is tried again."""
    hold(aws, "a")

    assert [tell(), tell()] == [{"told": 1}, {"told": 0}]
    hold(aws, "a")  # as if it had died before it could note that people know
    assert tell() == {"told": 1}

    assert len(heard()) == 1


def test_a_message_that_may_have_been_sent_is_not_sent_again(
    aws: Stack, heard: Any, line: Line
) -> None:
    """The connection was cut after SNS took it; the hold stays news for the next sweep."""
    hold(aws, "a")
    line.fail("Publish", cut="after")

    with pytest.raises(AwsError):
        tell()

    assert tell() == {"told": 0}
    assert len(heard()) == 1
    assert [one.news for one in aws.decisions.known().values()] == [True]


def test_a_message_that_was_refused_is_sent_again(aws: Stack, heard: Any, line: Line) -> None:
    """Throttled: SNS says that it has not taken it."""
    hold(aws, "a")
    line.fail("Publish", status=400)

    with pytest.raises(AwsError):
        tell()

    assert heard() == []
    assert tell() == {"told": 1}
    assert len(heard()) == 1


def test_the_journal_keeps_the_words_and_not_the_link(aws: Stack, heard: Any) -> None:
    """Who can read the table could otherwise decide."""
    hold(aws, "a")

    tell()

    (asked,) = aws.table.query(f"asked#{ID}")
    assert "tailkeeper approve" in asked["words"]
    assert "token" not in json.dumps(asked)
    assert asked["receipt"] == heard()[0]["MessageId"]


def test_nothing_new_costs_one_read(aws: Stack, line: Line) -> None:
    """No secret is read, no message begun."""
    assert tell() == {"told": 0}

    assert line.operations == ["Query"]
