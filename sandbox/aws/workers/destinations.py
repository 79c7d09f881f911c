"""Where the end of an asynchronous invocation is told: a queue, a topic, a bus or a function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.aws.clients import client_for


if TYPE_CHECKING:
    from sandbox.aws.workers.worker import Outcome

LONGEST_MESSAGE = 1024  # of ErrorMessage on a dead-letter queue


class UnknownDestinationError(Exception):
    """A destination of a kind that Lambda does not have."""


def record(
    function_arn: str,
    request_id: str,
    payload: bytes,
    outcome: Outcome,
    *,
    condition: str,
    tries: int,
) -> str:
    """Return the JSON document that a destination gets."""
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if outcome.is_error:
        response["functionError"] = "Unhandled"
    document = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": tries,
        },
        "requestPayload": json.loads(payload),
        "responseContext": response,
        "responsePayload": json.loads(outcome.payload or b"null"),
    }
    return json.dumps(document)


def deliver(target: str, region: str, body: str, outcome: Outcome, dead_letter: str = "") -> None:
    """Send a text to a destination by its ARN; raise UnknownDestinationError.

    `dead_letter` is the request id when the text is a dead letter: then it carries the error.
    """
    service, name = target.split(":")[2], target.split(":", 5)[5]
    client = client_for(region, service)
    attributes = _attributes(outcome, dead_letter) if dead_letter else {}
    if service == "sqs":
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    elif service == "sns":
        client.publish(TopicArn=target, Message=body, MessageAttributes=attributes)
    elif service == "lambda":
        client.invoke(FunctionName=target, InvocationType="Event", Payload=body)
    elif service == "events":
        client.put_events(Entries=[_entry(target, body, outcome)])
    else:
        raise UnknownDestinationError(target)


def _attributes(outcome: Outcome, request_id: str) -> dict[str, Any]:
    message = str(json.loads(outcome.payload).get("errorMessage", ""))[:LONGEST_MESSAGE]
    texts = {"RequestID": request_id, "ErrorMessage": message or "-"}
    attributes: dict[str, Any] = {
        name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
    }
    attributes["ErrorCode"] = {"DataType": "Number", "StringValue": "200"}
    return attributes


def _entry(bus: str, body: str, outcome: Outcome) -> dict[str, Any]:
    ending = "Failure" if outcome.is_error else "Success"
    return {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {ending}",
        "Detail": body,
        "EventBusName": bus,
        "Resources": [json.loads(body)["requestContext"]["functionArn"]],
    }
