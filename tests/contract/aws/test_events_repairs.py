"""Each repair of moto's EventBridge and its Scheduler: what AWS does, what moto does, what we do.

Every case runs on moto as it comes, in a process of its own, and on ours.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest


Cloud = Any
Case = Callable[[Cloud], Any]
CASES: dict[str, Case] = {}
AWS: dict[str, Any] = {}
EVENT = {
    "Source": "shop",
    "DetailType": "Order placed",
    "Detail": json.dumps({"id": 7, "who": 'Zoë "Z"', "items": [{"sku": "a"}]}),
}


def aws_gives(expected: Any) -> Callable[[Case], Case]:
    """Register a case together with what AWS gives."""

    def register(case: Case) -> Case:
        CASES[case.__name__], AWS[case.__name__] = case, expected
        return case

    return register


def new_name() -> str:
    """Return a name that nothing else has."""
    return f"n{uuid.uuid4().hex[:12]}"


def queue(cloud: Cloud) -> tuple[str, str]:
    """Make a queue; return its URL and ARN."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, attributes["Attributes"]["QueueArn"]


def received(cloud: Cloud, url: str, seconds: float = 2.0) -> dict[str, Any] | None:
    """Return the first message of a queue, or None when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        options = {"MessageAttributeNames": ["All"], "WaitTimeSeconds": 0}
        messages = cloud.client("sqs").receive_message(QueueUrl=url, **options).get("Messages")
        if messages:
            return dict(messages[0])
        time.sleep(0.02)
    return None


def bus_with_rule(cloud: Cloud, *targets: dict[str, Any], pattern: Any = None, **rule: Any) -> str:
    """Make a bus with one rule; return the bus's name."""
    events, bus = cloud.client("events"), new_name()
    events.create_event_bus(Name=bus)
    pattern = json.dumps(pattern or {"source": ["shop"]})
    events.put_rule(Name="rule", EventBusName=bus, EventPattern=pattern, **rule)
    numbered = [{"Id": str(n), **target} for n, target in enumerate(targets)]
    events.put_targets(Rule="rule", EventBusName=bus, Targets=numbered)
    return bus


def put(cloud: Cloud, bus: str, **entry: Any) -> dict[str, Any]:
    """Put the event on a bus; return the answer for it."""
    answer = cloud.client("events").put_events(Entries=[{**EVENT, "EventBusName": bus, **entry}])
    return dict(answer["Entries"][0])


def delivered(cloud: Cloud, **target: Any) -> Any:
    """Return what arrives in a queue through a target with these fields."""
    url, arn = queue(cloud)
    put(cloud, bus_with_rule(cloud, {"Arn": arn, **target}))
    message = received(cloud, url)
    return json.loads(message["Body"]) if message else None


@aws_gives(7)
def a_rule_starts_a_state_machine(cloud: Cloud) -> Any:
    """Moto raises NotImplementedError out of PutEvents."""
    machine = cloud.machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    put(cloud, bus_with_rule(cloud, {"Arn": machine}))
    listed: list[Any] = []
    while not listed:
        answer = cloud.client("stepfunctions").list_executions(stateMachineArn=machine)
        listed = answer["executions"]
    return json.loads(cloud.ended(listed[0]["executionArn"])["output"])["detail"]["id"]


@aws_gives(7)
def a_rule_invokes_a_function(cloud: Cloud) -> Any:
    """Moto raises NotImplementedError out of PutEvents."""
    seen: list[Any] = []
    put(cloud, bus_with_rule(cloud, {"Arn": cloud.function(seen.append)}))
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    return seen[0]["detail"]["id"]


@aws_gives({"causes": ["schedule"]})
def a_target_has_its_own_input(cloud: Cloud) -> Any:
    """Moto ignores Input."""
    return delivered(cloud, Input='{"causes": ["schedule"]}')


@aws_gives("a")
def a_target_gets_a_part_of_the_event(cloud: Cloud) -> Any:
    """Moto ignores InputPath."""
    return delivered(cloud, InputPath="$.detail.items[0].sku")


@aws_gives({"id": 7, "text": 'for Zoë "Z"', "all": [{"sku": "a"}], "rule": "rule"})
def a_template_is_filled_in(cloud: Cloud) -> Any:
    """Moto pastes text that is not JSON any more, and knows no reserved variables."""
    paths = {"id": "$.detail.id", "who": "$.detail.who", "all": "$.detail.items"}
    template = '{"id": <id>, "text": "for <who>", "all": <all>, "rule": "<aws.events.rule-name>"}'
    return delivered(cloud, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


@aws_gives(None)
def a_disabled_rule_sends_nothing(cloud: Cloud) -> Any:
    """Moto does not look at State."""
    url, arn = queue(cloud)
    put(cloud, bus_with_rule(cloud, {"Arn": arn}, State="DISABLED"))
    return received(cloud, url, 0.3)


@aws_gives(["NON_RETRYABLE_ERROR", "StateMachineDoesNotExist", 7])
def what_cannot_arrive_goes_to_the_dead_letter_queue(cloud: Cloud) -> Any:
    """Moto has no dead-letter queues for targets."""
    url, arn = queue(cloud)
    nowhere = "arn:aws:states:us-east-1:123456789012:stateMachine:nowhere"
    put(cloud, bus_with_rule(cloud, {"Arn": nowhere, "DeadLetterConfig": {"Arn": arn}}))
    message = received(cloud, url)
    if message is None:
        return None
    attributes = {k: v["StringValue"] for k, v in message["MessageAttributes"].items()}
    kept = json.loads(message["Body"])["detail"]["id"]
    return [attributes["EXHAUSTED_RETRY_CONDITION"], attributes["ERROR_CODE"], kept]


@aws_gives([2, "1", "MaximumRetryAttempts"])
def a_target_in_trouble_is_tried_again(cloud: Cloud) -> Any:
    """Moto tries once, and PutEvents fails with the target."""
    url, arn = queue(cloud)
    tries: list[int] = []

    def work(_: Any) -> None:
        tries.append(1)
        raise ConnectionError("Lambda itself is busy")

    target = {
        "Arn": cloud.function(work),
        "DeadLetterConfig": {"Arn": arn},
        "RetryPolicy": {"MaximumRetryAttempts": 1},
    }
    put(cloud, bus_with_rule(cloud, target))
    message = received(cloud, url)
    if message is None:
        return None
    attributes = {k: v["StringValue"] for k, v in message["MessageAttributes"].items()}
    return [len(tries), attributes["RETRY_ATTEMPTS"], attributes["EXHAUSTED_RETRY_CONDITION"]]


@aws_gives("NotAuthorizedForSourceException")
def only_aws_speaks_for_aws(cloud: Cloud) -> Any:
    """Moto lets anybody put events of aws.* sources."""
    url, arn = queue(cloud)
    bus = bus_with_rule(cloud, {"Arn": arn})
    del url
    return put(cloud, bus, Source="aws.states").get("ErrorCode")


@aws_gives("MalformedDetail")
def a_detail_is_an_object(cloud: Cloud) -> Any:
    """Moto takes any JSON."""
    return put(cloud, "default", Detail="[1]").get("ErrorCode")


@aws_gives("refused")
def a_request_has_a_size(cloud: Cloud) -> Any:
    """Moto takes more than 256 KiB in one request."""
    detail = json.dumps({"text": "x" * 60_000})
    entries = [EVENT | {"Detail": detail}] * 5
    try:
        cloud.client("events").put_events(Entries=entries)
    except cloud.client("events").exceptions.ClientError:
        return "refused"
    return "accepted"


@aws_gives(None)
def a_rule_with_a_schedule_matches_no_event(cloud: Cloud) -> Any:
    """Moto sends every event to a rule that has no pattern."""
    url, arn = queue(cloud)
    events, name = cloud.client("events"), new_name()
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    put(cloud, "default")
    message = received(cloud, url, 0.3)
    events.remove_targets(Rule=name, Ids=["1"])
    return message


@aws_gives(["RUNNING", "SUCCEEDED"])
def executions_tell_their_status(cloud: Cloud) -> Any:
    """Moto publishes no event when an execution starts or ends."""
    url, arn = queue(cloud)
    machine = cloud.machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    events, name = cloud.client("events"), new_name()
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail.status"}])
    cloud.ended(cloud.start(machine))
    statuses: list[str] = []
    while len(statuses) < 2 and (message := received(cloud, url)):
        statuses.append(json.loads(message["Body"]))
    events.remove_targets(Rule=name, Ids=["1"])
    return sorted(statuses)


@aws_gives("ValidationException")
def schedules_are_checked(cloud: Cloud) -> Any:
    """Moto stores any text as a schedule."""
    scheduler = cloud.client("scheduler")
    try:
        scheduler.create_schedule(
            Name=new_name(),
            ScheduleExpression="cron(0 12 * * * *)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::1:r"},
        )
    except scheduler.exceptions.ValidationException:
        return "ValidationException"
    return "accepted"


@pytest.mark.parametrize("name", CASES)
def test_the_repair_does_what_moto_does_not(name: str, cloud: Cloud, stock: dict[str, Any]) -> None:
    """The case states a defect of moto's that is still there, and mended."""
    assert stock[name] != AWS[name], "moto does this by itself now: drop the repair"
    assert CASES[name](cloud) == AWS[name]
