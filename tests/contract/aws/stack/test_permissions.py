"""IAM: a role's policies decide what its functions and state machines may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.permissions import allows


if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/"
READING = {
    "Effect": "Allow",
    "Action": ["dynamodb:Get*", "dynamodb:Query"],
    "Resource": f"{TABLE}a",
}
DELETE: dict[str, Any] = {"DeleteRequest": {"Key": {}}}
FORBIDDING = {"Effect": "Deny", "Action": "*", "Resource": f"{TABLE}a"}


@pytest.mark.parametrize(
    ("statements", "action", "resource", "expected"),
    [
        ([READING], "dynamodb:GetItem", "a", True),
        ([READING], "dynamodb:Query", "a", True),
        ([READING], "dynamodb:PutItem", "a", False),
        ([READING], "dynamodb:GetItem", "b", False),
        ([READING, FORBIDDING], "dynamodb:GetItem", "a", False),
        ([{**READING, "Resource": f"{TABLE}*"}], "dynamodb:getitem", "b", True),
        ([], "dynamodb:GetItem", "a", False),
    ],
)
def test_an_allow_is_needed_and_no_deny(
    statements: list[dict[str, Any]], action: str, resource: str, *, expected: bool
) -> None:
    """As IAM evaluates: in any of the policies, with wildcards, actions in any case."""
    documents = [json.dumps({"Statement": statement}) for statement in statements]
    assert allows(documents, action, TABLE + resource) is expected


@pytest.fixture
def as_hook(sandbox: Any) -> Callable[[str], Any]:
    """Return a way to make clients that sign as a function which may put events on one bus."""

    def client(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service that a test names
            region_name=sandbox.ready["region"],
            endpoint_url=sandbox.ready["endpoint_url"],
            aws_access_key_id=sandbox.id_of("HookFunctionRole"),
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
        )

    return client


def test_what_the_policies_allow_is_done(sandbox: Any, as_hook: Callable[[str], Any]) -> None:
    """The function's own bus takes its events."""
    entry = {"Source": "hook", "DetailType": "t", "Detail": "{}"}
    entry["EventBusName"] = sandbox.id_of("Bus")
    assert as_hook("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("events", "put_events", {"Entries": [{"Source": "hook"}]}, "AccessDeniedException"),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {}}, "AccessDeniedException"),
        (
            "dynamodb",
            "batch_write_item",
            {"RequestItems": {"t": [DELETE]}},
            "AccessDeniedException",
        ),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}, "AccessDeniedException"),
        ("ssm", "get_parameter", {"Name": "/p"}, "AccessDeniedException"),
        ("stepfunctions", "start_execution", {"stateMachineArn": "m"}, "AccessDeniedException"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException"),
        ("sns", "publish", {"TopicArn": "arn:t", "Message": "m"}, "AuthorizationError"),
        ("s3", "get_object", {"Bucket": "b", "Key": "a/b"}, "AccessDenied"),
        ("s3", "put_object", {"Bucket": "b", "Key": "a/b", "Body": b"x"}, "AccessDenied"),
    ],
)
def test_everything_else_is_refused_as_the_service_does(
    as_hook: Callable[[str], Any], service: str, operation: str, parameters: Any, code: str
) -> None:
    """In the words of each protocol, so that clients raise what they raise on AWS."""
    with pytest.raises(ClientError) as caught:
        getattr(as_hook(service), operation)(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    assert "is not authorized to perform" in str(caught.value)
