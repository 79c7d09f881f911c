"""SQS queues, SNS topics, event buses and rules."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provision.calls import call, tag_map
from sandbox.aws.provision.intrinsics import Created, TemplateError, as_text
from sandbox.aws.provision.stack import Resource, Stack, creates


QUEUE_ATTRIBUTES = frozenset(
    {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    }
)
TOPIC_ATTRIBUTES = frozenset(
    {
        "ContentBasedDeduplication",
        "DisplayName",
        "FifoTopic",
        "KmsMasterKeyId",
        "SignatureVersion",
        "TracingConfig",
    }
)
SUBSCRIPTION_ATTRIBUTES = frozenset(
    {"FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}
)
MAIL = "SNS sends no mail and no text messages; subscriptions to them are only kept."


def _attributes(resource: Resource, known: frozenset[str]) -> dict[str, str]:
    found = {name: resource.take(name) for name in sorted(known) if name in resource.properties}
    return {
        name: json.dumps(value) if isinstance(value, (dict, list)) else as_text(value)
        for name, value in found.items()
    }


@creates("AWS::SQS::Queue")
def create_queue(stack: Stack, queue: Resource) -> Created:
    """Make a queue; its physical id is its URL."""
    name = queue.name("QueueName", 80)
    url = call(
        stack.client("sqs"),
        "create_queue",
        QueueName=name,
        tags=tag_map(queue.take("Tags", [])),
        Attributes=_attributes(queue, QUEUE_ATTRIBUTES),
    )["QueueUrl"]
    return Created(url, {"Arn": stack.arn("sqs", name), "QueueName": name, "QueueUrl": url})


@creates("AWS::SQS::QueuePolicy")
def create_queue_policy(stack: Stack, policy: Resource) -> Created:
    """Attach a policy to queues."""
    document = json.dumps(policy.require("PolicyDocument"))
    for url in policy.require("Queues"):
        sqs = stack.client("sqs")
        call(sqs, "set_queue_attributes", QueueUrl=url, Attributes={"Policy": document})
    return Created(f"{policy.logical_id}-policy")


@creates("AWS::SNS::Topic")
def create_topic(stack: Stack, topic: Resource) -> Created:
    """Make a topic and the subscriptions written within it."""
    name = topic.name("TopicName", 256)
    tags = topic.take("Tags")
    subscriptions = topic.take("Subscription", [])
    sns = stack.client("sns")
    attributes = _attributes(topic, TOPIC_ATTRIBUTES)
    arn = call(sns, "create_topic", Name=name, Tags=tags, Attributes=attributes)["TopicArn"]
    for each in subscriptions:
        _subscribe(stack, arn, each["Protocol"], each["Endpoint"], {})
    return Created(arn, {"TopicArn": arn, "TopicName": name})


@creates("AWS::SNS::Subscription")
def create_subscription(stack: Stack, subscription: Resource) -> Created:
    """Subscribe an endpoint to a topic."""
    topic, protocol = subscription.require("TopicArn"), subscription.require("Protocol")
    endpoint = subscription.require("Endpoint")
    attributes = _attributes(subscription, SUBSCRIPTION_ATTRIBUTES)
    arn = _subscribe(stack, topic, protocol, endpoint, attributes)
    return Created(arn, {"Arn": arn})


def _subscribe(
    stack: Stack, topic: str, protocol: str, endpoint: str, attributes: dict[str, str]
) -> str:
    if protocol in {"email", "email-json", "sms"}:
        stack.not_emulated.add(MAIL)
    answer = call(
        stack.client("sns"),
        "subscribe",
        TopicArn=topic,
        Protocol=protocol,
        Endpoint=endpoint,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


@creates("AWS::SNS::TopicPolicy")
def create_topic_policy(stack: Stack, policy: Resource) -> Created:
    """Attach a policy to topics."""
    document = json.dumps(policy.require("PolicyDocument"))
    for arn in policy.require("Topics"):
        call(
            stack.client("sns"),
            "set_topic_attributes",
            TopicArn=arn,
            AttributeName="Policy",
            AttributeValue=document,
        )
    return Created(f"{policy.logical_id}-policy")


@creates("AWS::Events::EventBus")
def create_bus(stack: Stack, bus: Resource) -> Created:
    """Make an event bus."""
    name = bus.require("Name")
    answer = call(stack.client("events"), "create_event_bus", Name=name, **bus.rest())
    return Created(name, {"Arn": answer["EventBusArn"], "Name": name})


@creates("AWS::Events::Rule")
def create_rule(stack: Stack, rule: Resource) -> Created:
    """Make a rule and its targets; on a bus of its own, the physical id is `bus|rule`."""
    name, bus = rule.name("Name"), rule.take("EventBusName", "default")
    targets, pattern = rule.take("Targets", []), rule.take("EventPattern")
    events = stack.client("events")
    arn = call(
        events,
        "put_rule",
        Name=name,
        EventBusName=bus,
        EventPattern=json.dumps(pattern) if pattern else None,
        **rule.rest(),
    )["RuleArn"]
    if targets:
        _put_targets(events, name, bus, targets)
    bus_name = bus.rsplit("/", 1)[-1]
    return Created(name if bus_name == "default" else f"{bus_name}|{name}", {"Arn": arn})


def _put_targets(events: Any, rule: str, bus: str, targets: list[dict[str, Any]]) -> None:
    answer = call(events, "put_targets", Rule=rule, EventBusName=bus, Targets=targets)
    if answer.get("FailedEntryCount"):
        raise TemplateError(f"EventBridge refused targets: {answer['FailedEntries']}")
