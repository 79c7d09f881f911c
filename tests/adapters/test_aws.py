"""AWS without boto3: signed as AWS wants it, repeated where that helps, errors by their names."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.adapters.aws import Aws, AwsError, ConditionFailed


if TYPE_CHECKING:
    from tests.support.line import Line

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}


@pytest.fixture
def service(line: Line) -> Aws:
    """Return the services over the line, without yesterday's credentials."""
    return Aws()


def get(service: Aws) -> dict[str, Any]:
    """Read an item that is not there."""
    return service.call("dynamodb", "GetItem", TableName=os.environ["TABLE"], Key=KEY)


def test_every_service_takes_our_signature(
    line: Line, service: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line computes Signature Version 4 itself; a wrong key is refused, so it does compare."""
    key = "plans/ä b+c&d=e.json"
    get(service)
    service.call("events", "PutEvents", Entries=[])
    service.call("secretsmanager", "ListSecrets")
    service.put_object(os.environ["ARTIFACTS"], key, b"{}")
    assert service.get_object(os.environ["ARTIFACTS"], key) == b"{}"

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(AwsError, match="InvalidSignature"):
        get(service)


def test_a_session_token_is_signed_and_sent(
    line: Line, service: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's credentials are temporary, and change under a warm process."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-this-hour")

    get(service)

    (headers,) = line.headers
    assert headers["x-amz-security-token"] == "token-of-this-hour"
    assert "x-amz-security-token" in headers["authorization"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "body": {"__type": "InternalServerError"}},
        {"status": 503, "body": b"<html>try later</html>"},
        {"status": 400, "body": THROTTLED},
        {"cut": "before"},
        {"cut": "after"},
    ],
    ids=str,
)
def test_what_may_pass_is_tried_three_times(line: Line, service: Aws, fault: Any) -> None:
    """Twice it fails and nobody notices; the third failure is the caller's, by its name."""
    line.fail("GetItem", times=2, **fault)
    assert get(service) == {}
    assert line.operations == ["GetItem"] * 3

    line.fail("GetItem", times=3, **fault)
    with pytest.raises(AwsError) as raised:
        get(service)
    assert raised.value.status == fault.get("status", 0)
    assert line.operations == ["GetItem"] * 6


@pytest.mark.parametrize(
    ("operation", "fault"),
    [("GetObject", {"status": 503}), ("PutObject", {"cut": "after"})],
)
def test_objects_are_tried_again_too(
    line: Line, service: Aws, operation: str, fault: dict[str, Any]
) -> None:
    """S3 tells its troubles by status alone."""
    line.fail(operation, times=2, **fault)
    service.put_object(os.environ["ARTIFACTS"], "a", b"{}")
    assert service.get_object(os.environ["ARTIFACTS"], "a") == b"{}"
    assert line.operations.count(operation) == 3


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ConditionalCheckFailedException", ConditionFailed), ("ValidationException", AwsError)],
)
def test_a_refusal_is_final_and_has_its_name(
    line: Line, service: Aws, code: str, kind: type[AwsError]
) -> None:
    """Asked once: a second time would be refused as well."""
    line.fail("GetItem", status=400, body={"__type": f"x#{code}", "Message": "no"})

    with pytest.raises(AwsError) as raised:
        get(service)

    assert type(raised.value) is kind
    assert (raised.value.code, str(raised.value)) == (code, f"{code}: no")
    assert line.operations == ["GetItem"]


def test_a_missing_object_is_no_empty_one(line: Line, service: Aws) -> None:
    """A pointer into the bucket that leads nowhere fails loudly, and at once."""
    with pytest.raises(AwsError) as raised:
        service.get_object(os.environ["ARTIFACTS"], "nowhere")

    assert raised.value.status == 404
    assert line.operations == ["GetObject"]


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, service: Aws) -> None:
    """A dead endpoint costs three quick tries, not a function's whole time."""
    began = time.monotonic()
    with pytest.raises(AwsError, match="Unreachable"):
        get(Aws(endpoint="http://127.0.0.1:9"))
    assert time.monotonic() - began < 5
