"""The receiver: who may speak, what is handed over, and that nothing is lost or done twice."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions import receive_tailscale_webhook as receiver
from tailkeeper.webhooks.tailscale import SIGNATURE_HEADER, sign
from tests.support.fresh import answered
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack
    from tests.support.line import Line

ROOT = Path(__file__).parents[2]
SECRET, NEWER = "tskey-webhook-old", "tskey-webhook-new"
MIB = 1024 * 1024
HOUR = 3600
REFUSED_BY_BUS = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}


@pytest.fixture(autouse=True)
def _listening(line: Line) -> Iterator[None]:
    """Start a receiver that knows one secret."""
    know(SECRET)
    forget()
    line.calls.clear()
    yield
    forget()


def forget() -> None:
    """Let the next request find a fresh process."""
    receiver.inbox.cache_clear()
    receiver.secrets.cache_clear()


def know(*secrets: str) -> None:
    """Set the signing secrets; the former ones become the secret's previous version."""
    set_secret("WEBHOOK_SECRETS", {"tailscale": list(secrets)})


def event(node: str = "n1", kind: str = "nodeCreated", **data: Any) -> dict[str, Any]:
    """Return an event as Tailscale sends it."""
    about = {"nodeID": node, "deviceName": "gateway-envoy-1.tail.ts.net", "managedBy": "tag:k8s"}
    return {
        "timestamp": "2026-11-21T23:00:00.123456789Z",
        "version": 1,
        "type": kind,
        "tailnet": "example.org",
        "message": f"Node {node} created",
        "data": {**about, "url": "https://login.tailscale.com/admin", "actor": "a@b", **data},
    }


def delivery(
    body: Any, *, secret: str = SECRET, age: float = 0, encoded: bool = False, **headers: str
) -> dict[str, Any]:
    """Return the HTTP API's event of a signed delivery; `body` is text or a JSON document."""
    text = body if isinstance(body, str) else json.dumps(body)
    signature = sign(secret, text.encode(), at=int(time.time() - age))
    return {
        "version": "2.0",
        "headers": {"content-type": "application/json", SIGNATURE_HEADER: signature, **headers},
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }


def post(body: Any, **how: Any) -> tuple[int, dict[str, Any]]:
    """Deliver; return status and answer."""
    answer = receiver.handler(delivery(body, **how), None)
    return answer["statusCode"], json.loads(answer["body"])


def handed_over(line: Line) -> list[dict[str, str]]:
    """Return the causes that went to the bus."""
    entries = [e for name, given in line.calls if name == "PutEvents" for e in given["Entries"]]
    return [cause for entry in entries for cause in json.loads(entry["Detail"])["causes"]]


def test_an_event_is_durable_before_it_is_seen_and_seen_before_it_is_acknowledged(
    line: Line,
) -> None:
    """Claim, bus, seen, 202; the bus carries whitelisted fields only."""
    assert post([event()]) == (202, {"accepted": 1, "ignored": 0})

    assert line.operations == ["GetSecretValue"] * 3 + ["PutItem", "PutEvents", "PutItem"]
    ((_, bus),) = [call for call in line.calls if call[0] == "PutEvents"]
    (entry,) = bus["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("tailkeeper.tailscale", "Causes")
    assert entry["EventBusName"] == os.environ["BUS"]
    (cause,) = handed_over(line)
    assert cause == {
        "kind": "tailscale",
        "id": cause["id"],
        "at": "2026-11-21T23:00:00.123456789Z",
        "by": "tag:k8s",
        "ref": "nodeCreated n1 gateway-envoy-1.tail.ts.net",
    }


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "tskey-webhook-guess"}, 401),
        ({"age": 25 * HOUR + 5}, 401),
        ({"age": -310}, 401),
        ({"age": 25 * HOUR - 5}, 202),
        ({"encoded": True}, 202),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": ""}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 202),
        ({SIGNATURE_HEADER: ""}, 401),
        ({SIGNATURE_HEADER: "v1=abc"}, 401),
    ],
)
def test_only_the_holder_of_the_secret_is_heard(
    line: Line, how: dict[str, Any], status: int
) -> None:
    """A refused request does nothing at all: no mark, no event, no poison."""
    assert post([event()], **how)[0] == status
    assert ("PutEvents" in line.operations) == (status == 202)
    assert ("PutItem" in line.operations) == (status == 202)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("size", "status"), [(MIB, 202), (MIB + 1, 413)])
def test_a_body_may_have_one_mebibyte(line: Line, size: int, status: int, *, encoded: bool) -> None:
    """It is the body that counts, not its base64; one byte more is not even verified."""
    text = json.dumps([event()])
    assert post(text + " " * (size - len(text)), encoded=encoded)[0] == status
    assert ("GetSecretValue" in line.operations) == (status == 202)


def test_several_secrets_are_valid_at_once(line: Line) -> None:
    """A list, one alone, and what the secret's previous version held."""
    know(NEWER, "tskey-webhook-third")
    assert [post([event(s)], secret=s)[0] for s in (SECRET, NEWER, "tskey-webhook-third")] == [
        202,
        202,
        202,
    ]
    assert line.operations.count("GetSecretValue") == 3


def test_a_rotated_secret_is_read_again_when_its_signature_comes(line: Line) -> None:
    """No event is lost to a rotation; yet a flood of wrong signatures reads nothing."""
    assert post([event("n1")])[0] == 202
    know(NEWER)

    assert post([event("n2")], secret=NEWER)[0] == 401, "read just now"
    receiver.secrets()._read_at -= 11
    assert post([event("n3")], secret=NEWER)[0] == 202
    assert line.operations.count("GetSecretValue") == 6


def test_an_array_costs_one_call_of_the_bus_and_counts_each_event_once(line: Line) -> None:
    """Within one delivery too, whatever the order of an event's fields."""
    shuffled = dict(reversed(event("n1").items()))

    assert post([event("n1"), event("n2"), shuffled]) == (202, {"accepted": 2, "ignored": 1})

    assert line.operations.count("PutEvents") == 1
    assert [cause["ref"].split()[1] for cause in handed_over(line)] == ["n1", "n2"]


def test_a_hundred_and_one_events_are_two_entries(line: Line) -> None:
    """An entry carries a hundred causes, which is what one Converge is started with."""
    assert post([event(f"n{i}") for i in range(101)])[1]["accepted"] == 101

    (bus,) = [given for name, given in line.calls if name == "PutEvents"]
    assert [len(json.loads(e["Detail"])["causes"]) for e in bus["Entries"]] == [100, 1]


def test_a_repeated_delivery_is_acknowledged_and_does_nothing(line: Line) -> None:
    """An hour later, newly signed, to a fresh process: the event was seen."""
    post([event()])
    forget()

    assert post([event()], age=HOUR) == (202, {"accepted": 0, "ignored": 1})
    assert len(handed_over(line)) == 1


@pytest.mark.parametrize(
    "ignored",
    [
        event(kind="test"),
        event(kind="nodeNeedsApproval"),
        event(kind="somethingFromTheFuture"),
        event(deviceName="tailkeeper-prober-3.tail.ts.net"),
        event(managedBy="tag:k8s,tag:tailkeeper"),
    ],
    ids=lambda e: f"{e['type']}-{e['data']['deviceName'][:10]}",
)
def test_what_cannot_move_an_answer_starts_nothing(line: Line, ignored: dict[str, Any]) -> None:
    """Unknown types, and our own prober's comings and goings, which would start themselves."""
    assert post([ignored]) == (202, {"accepted": 0, "ignored": 1})
    assert line.operations == ["GetSecretValue"] * 3


@pytest.mark.parametrize("body", ["{", '[1, "x", null]', '[{"type": 5}]', "[" * 100_000])
def test_poison_is_kept_and_acknowledged(aws: Stack, body: str) -> None:
    """A repeat would not help: 202, and the text is there to be inspected."""
    status, answer = post(body)

    kept = aws.table.query("poison")
    assert (status, answer["accepted"]) == (202, 0)
    assert answer["ignored"] == len(kept) > 0
    assert all(item["text"] in json.dumps(body) or item["text"] in body for item in kept)


def test_poison_does_not_spoil_its_neighbours(aws: Stack) -> None:
    """The good event of the array is accepted, the bad one kept; a later one beside it."""
    assert post([event(), "nonsense"]) == (202, {"accepted": 1, "ignored": 1})
    post(["other nonsense"])
    assert [i["text"] for i in sorted(aws.table.query("poison"), key=lambda i: i["text"])] == [
        '"nonsense"',
        '"other nonsense"',
    ]


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("PutEvents", {"status": 400, "body": {"__type": "AccessDeniedException"}}),
        ("PutEvents", {"status": 503, "times": 3}),
        ("PutEvents", {"cut": "before", "times": 3}),
        ("PutEvents", {"body": REFUSED_BY_BUS}),
        ("PutItem", {"status": 500, "times": 3}),
        ("GetSecretValue", {"status": 400, "body": {"__type": "AccessDeniedException"}}),
    ],
)
def test_a_hand_over_that_failed_is_asked_for_again_and_then_succeeds(
    line: Line, operation: str, fault: dict[str, Any]
) -> None:
    """503, the only answer that is repeated; the repeat may come within the minute of a claim."""
    line.fail(operation, **fault)

    assert post([event()])[0] == 503
    assert post([event()]) == (202, {"accepted": 1, "ignored": 0})
    assert handed_over(line)


def test_a_claim_whose_answer_got_lost_is_still_ours(line: Line) -> None:
    """The repeated write finds its own mark, and does not take the event for a duplicate."""
    line.fail("PutItem", cut="after")

    assert post([event()]) == (202, {"accepted": 1, "ignored": 0})
    assert len(handed_over(line)) == 1


def test_the_process_is_light_and_its_log_is_clean(line: Line, tmp_path: Path) -> None:
    """From a fresh interpreter to 202: no SDK, no HTTP client, and no body or secret in the log."""
    private = event(private="do-not-log")
    asked = [delivery([private], secret="tskey-webhook-guess"), delivery([private])]
    statuses, modules, said = answered("receive_tailscale_webhook", asked, tmp_path)

    assert statuses == [401, 202]
    heavy = {"kubernetes", "cloudflare", "httpx", "boto3", "dns", "yaml", "asyncio", "pydantic"}
    assert not heavy & modules
    assert '"status":401' in said
    assert '"accepted":1' in said
    assert not [word for word in (SECRET, "do-not-log", "guess") if word in said]


def test_poison_and_marks_expire(aws: Stack, line: Line) -> None:
    """Two weeks for poison, 25 hours for an event's mark: nothing is kept for ever."""
    post([event(), "nonsense"])
    table = client(line.target, "dynamodb").scan(TableName=os.environ["TABLE"])["Items"]
    left = {
        item["pk"]["S"].partition("#")[0]: int(item["expires_at"]["N"]) - time.time()
        for item in table
        if "expires_at" in item
    }
    assert left["poison"] == pytest.approx(14 * 24 * HOUR, abs=60)
    assert left["event"] == pytest.approx(25 * HOUR, abs=60)
