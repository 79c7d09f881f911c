"""The link's page: looking decides nothing, pressing decides once, nothing leaks."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from functions import decide_change
from tailkeeper.decisions.decision import Decision
from tailkeeper.decisions.links import Link
from tailkeeper.model import Change, Verdict
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from collections.abc import Callable

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ROOT = Path(__file__).parents[2]
ID, KEY = "20261121-230000-aaaaaa", "k" * 64
NAMES = ("a.example.com", "b.example.com")
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PutEvents"}


def decision(key: str, row: int = 8) -> Decision:
    """Return a held delete."""
    change = Change("records", key, {"records": []}, None, "example.com")
    return Decision.on(change.judged(Verdict("hold", row, ("why",))), "held", ID, time.time())


@pytest.fixture
def asked(aws: Stack) -> str:
    """Let people have been asked about two names; return the token."""
    held = [decision(name) for name in NAMES]
    aws.decisions.keep(held)
    set_secret("LINK_SECRET", {"key": KEY})
    link = Link.to(ID, [one.digest for one in held], int(time.time()) + 60)
    aws.questions.begin(link, [one.digest for one in held], "subject", "words")
    return link.token(KEY)


@pytest.fixture
def handed_over(aws: Stack) -> Callable[[], list[dict[str, Any]]]:
    """Return what the bus is given."""
    events, sqs = (client(aws.aws.endpoint, name) for name in ("events", "sqs"))
    name = os.environ["BUS"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["tailkeeper.decisions"]})
    events.put_rule(Name=name, EventBusName=name, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": arn}])

    def look() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        details = [json.loads(message["Body"])["detail"] for message in got.get("Messages", [])]
        return [cause for detail in details for cause in detail["causes"]]

    return look


def ask(method: str, token: str, word: str = "", change_id: str = ID, **more: Any) -> Any:
    """Send a request; return the answer."""
    event: dict[str, Any] = {
        "requestContext": {"http": {"method": method, "sourceIp": "203.0.113.7"}},
        "pathParameters": {"id": change_id},
        "isBase64Encoded": True,
    }
    if method == "POST":
        form = urlencode({"token": token, "decision": word}).encode()
        event["body"] = base64.b64encode(form).decode()
    else:
        event["queryStringParameters"] = {"token": token}
    return decide_change.handler({**event, **more}, None)


def words(aws: Stack) -> set[str]:
    """Return what stands."""
    return {one.word for one in aws.decisions.known().values()}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_decides_nothing(aws: Stack, asked: str, line: Line, method: str) -> None:
    """Scanners of links and browsers that fetch ahead may look as often as they like."""
    answers = [ask(method, asked) for _ in range(3)]

    assert {answer["statusCode"] for answer in answers} == {200}
    assert all(name in answers[0]["body"] for name in NAMES)
    assert WRITES.isdisjoint(line.operations)
    assert words(aws) == {"held"}


def test_a_press_approves_what_was_shown(aws: Stack, asked: str, handed_over: Any) -> None:
    """Exactly these digests, by the bus, which starts a Converge."""
    answer = ask("POST", asked, "approve")

    (cause,) = handed_over()
    digests = {decision(name).digest for name in NAMES}
    assert (answer["statusCode"], "2 changes" in answer["body"]) == (200, True)
    assert (cause["kind"], cause["id"], set(cause["ref"].split())) == ("approval", ID, digests)
    assert cause["by"] == "a link, from 203.0.113.7"


def test_a_press_rejects(aws: Stack, asked: str, handed_over: Any) -> None:
    """Nothing runs; what is rejected stands back."""
    assert ask("POST", asked, "reject")["statusCode"] == 200

    assert (words(aws), handed_over()) == ({"rejected"}, [])


def test_a_press_approves_what_was_taken_back(aws: Stack, asked: str, handed_over: Any) -> None:
    """The link of its message lets it be made again."""
    aws.decisions.keep(replace(one, word="undone") for one in aws.decisions.known().values())

    assert ask("POST", asked, "approve")["statusCode"] == 200

    (cause,) = handed_over()
    assert len(cause["ref"].split()) == 2


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_link_decides_once(aws: Stack, asked: str, handed_over: Any, second: str) -> None:
    """Whatever is pressed afterwards, and whoever looks."""
    ask("POST", asked, "approve")

    answers = [ask("POST", asked, second), ask("GET", asked)]

    assert [answer["statusCode"] for answer in answers] == [410, 410]
    assert "has been used" in answers[0]["body"]
    assert len(handed_over()) == 1


def test_a_press_that_failed_may_be_repeated_and_not_changed(
    aws: Stack, asked: str, handed_over: Any, line: Line
) -> None:
    """The bus was away: the same answer goes through later, another one does not."""
    line.fail("PutEvents", times=3, status=500)

    answers = [ask("POST", asked, word) for word in ("approve", "reject", "approve")]

    assert [answer["statusCode"] for answer in answers] == [503, 410, 200]
    assert len(handed_over()) == 1


def test_what_moved_is_not_decided(aws: Stack, asked: str, handed_over: Any) -> None:
    """One of two names is held no more: the other one is approved; without any, nothing is."""
    first, second = (decision(name) for name in NAMES)
    aws.table.delete("decisions", first.digest)
    ask("POST", asked, "approve")
    (cause,) = handed_over()
    aws.table.delete("decisions", second.digest)

    assert cause["ref"] == second.digest


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda _: "", 403),
        (lambda token: token[:-1], 403),
        (lambda token: "1" + token, 403),
        (lambda token: "0" + token, 403),
        (lambda token: token.replace(token[0], chr(0x660 + int(token[0])), 1), 403),
        (lambda _: Link.to(ID, ["d"], 9_999_999_999).token("wrong key"), 403),
        (lambda _: Link.to(ID, ["never asked"], 9_999_999_999).token(KEY), 403),
        (lambda _: Link.to(ID, ["d"], 1).token(KEY), 410),
    ],
    ids=["none", "cut", "longer", "zero", "other digits", "wrong key", "never asked", "expired"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_link_says_so_and_nothing_else(
    aws: Stack, asked: str, method: str, spoil: Any, status: int
) -> None:
    """No name, no reason, no hint of what there is."""
    answer = ask(method, spoil(asked), "approve")

    assert answer["statusCode"] == status
    assert "example.com" not in answer["body"]
    assert words(aws) == {"held"}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"body": "token=x&decision=maybe", "isBase64Encoded": False}, 400),
        ({"body": "x" * 5000}, 400),
        ({"body": "%%%"}, 400),
        ({"body": None}, 400),
        ({"pathParameters": None}, 403),
    ],
)
def test_a_press_that_is_none(aws: Stack, asked: str, more: Any, status: int) -> None:
    """Said with 4xx; nothing is decided."""
    assert ask("POST", asked, "approve", **more)["statusCode"] == status
    assert words(aws) == {"held"}


def test_a_link_of_another_change_opens_nothing(aws: Stack, asked: str) -> None:
    """The signature covers the change's id."""
    assert ask("GET", asked, change_id="20261121-230000-bbbbbb")["statusCode"] == 403


def test_what_nobody_holds_any_more_is_closed(aws: Stack, asked: str) -> None:
    """The world mended itself before anybody looked."""
    for name in NAMES:
        aws.table.delete("decisions", decision(name).digest)

    answer = ask("GET", asked)

    assert (answer["statusCode"], "held any more" in answer["body"]) == (410, True)


def test_it_starts_light() -> None:
    """Neither botocore's models nor an SDK: a person waits for the page."""
    code = (
        "import sys, functions.decide_change;"
        "heavy = {'boto3', 'botocore.session', 'kubernetes', 'cloudflare', 'httpx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert ran.stdout.strip() == "[]"
