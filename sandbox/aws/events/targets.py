"""Where an event can go: state machines, functions, queues, topics, buses, log groups.

Each sender makes one call; what it raises decides between another try and the dead-letter queue.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.aws.clients import client_for
from sandbox.aws.repairs import moto_module
from sandbox.aws.stepfunctions.integrations import operation_model
from sandbox.aws.stepfunctions.shapes import ParameterError, to_request


if TYPE_CHECKING:
    from collections.abc import Callable


SDK_PREFIX = "arn:aws:scheduler:::aws-sdk:"
RETRYABLE_CODES = ("Throttl", "TooManyRequests", "InternalFailure", "ServiceException", "Internal")


class TargetError(Exception):
    """A target cannot be reached, and trying again will not help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target, as JSON text."""

    target: dict[str, Any]
    body: str
    source_arn: str
    event: dict[str, Any]

    @property
    def arn(self) -> str:
        """Return the ARN of the target."""
        return str(self.target["Arn"])


def send(delivery: Delivery) -> None:
    """Hand the event to its target; raise TargetError, or anything else for a passing trouble."""
    sender = _sender(delivery.arn)
    try:
        sender(delivery)
    except ClientError as error:
        details = error.response["Error"]
        if any(part in details["Code"] for part in RETRYABLE_CODES):
            raise
        raise TargetError(details["Code"], details["Message"]) from error
    except ParameterError as error:
        raise TargetError("InvalidParameter", str(error)) from error


def _sender(arn: str) -> Callable[[Delivery], None]:
    if arn.startswith(SDK_PREFIX):
        return _call_operation
    _, _, service, *_, resource = (*arn.split(":", 5), "", "", "")[:6]
    found = SENDERS.get(service) or SENDERS.get(f"{service}:{resource.partition('/')[0]}")
    if found is None:
        raise TargetError("UnsupportedTarget", f"The sandbox cannot deliver to {arn}")
    return found


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _start_execution(delivery: Delivery) -> None:
    states = client_for(_region(delivery.arn), "stepfunctions")
    states.start_execution(stateMachineArn=delivery.arn, input=delivery.body)


def _invoke(delivery: Delivery) -> None:
    functions = client_for(_region(delivery.arn), "lambda")
    functions.invoke(
        FunctionName=delivery.arn, InvocationType="Event", Payload=delivery.body.encode()
    )


def _send_message(delivery: Delivery) -> None:
    group = delivery.target.get("SqsParameters", {}).get("MessageGroupId")
    send_to_queue(delivery.arn, delivery.body, **({"MessageGroupId": group} if group else {}))


def send_to_queue(arn: str, body: str, **more: Any) -> None:
    """Send a message to the queue with this ARN."""
    _, _, _, region, account, name = arn.split(":", 5)
    queues = client_for(region, "sqs")
    url = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    queues.send_message(QueueUrl=url, MessageBody=body, **more)


def _publish(delivery: Delivery) -> None:
    topics = client_for(_region(delivery.arn), "sns")
    topics.publish(TopicArn=delivery.arn, Message=delivery.body)


def _write_log(delivery: Delivery) -> None:
    _, _, _, region, account, name = delivery.arn.split(":", 5)
    logs = moto_module("logs").logs_backends[account][region]
    group = name.removeprefix("log-group:").removesuffix(":*")
    stream = delivery.event.get("id", "events")
    logs.create_log_stream(group, stream)
    message = {"timestamp": 0, "message": delivery.body}
    logs.put_log_events(group, stream, [message])


def _call_operation(delivery: Delivery) -> None:
    """Call any API operation, as EventBridge Scheduler's universal targets do."""
    service, _, action = delivery.arn.removeprefix(SDK_PREFIX).partition(":")
    model = operation_model(service, action)
    request = to_request(json.loads(delivery.body or "{}"), model.input_shape)
    region = str(delivery.event.get("region", "us-east-1"))
    client = client_for(region, model.service_model.service_name)
    getattr(client, xform_name(model.name))(**request)


SENDERS: dict[str, Callable[[Delivery], None]] = {
    "states": _start_execution,
    "lambda": _invoke,
    "sqs": _send_message,
    "sns": _publish,
    "logs": _write_log,
}
