"""Lambda functions, their layers, permissions, event sources and asynchronous settings."""

from __future__ import annotations

from sandbox.aws.provision.calls import call, tag_map
from sandbox.aws.provision.intrinsics import Created, TemplateError
from sandbox.aws.provision.stack import Resource, Stack, creates


MEMORY = (
    "Lambda's MemorySize and Architectures are kept, but a worker takes what this machine gives, "
    "and runs this machine's Python whatever the Runtime."
)
TRACING = "X-Ray receives nothing."
SOURCES = frozenset({"sqs"})


@creates("AWS::Lambda::Function")
def create_function(stack: Stack, function: Resource) -> Created:
    """Make a function; its physical id is its name."""
    name = function.name("FunctionName")
    reserved = function.take("ReservedConcurrentExecutions")
    tags = tag_map(function.take("Tags", []))
    tracing = function.without_effect("TracingConfig", TRACING)
    stack.not_emulated.add(MEMORY)
    aws_lambda = stack.client("lambda")
    arn = call(
        aws_lambda,
        "create_function",
        FunctionName=name,
        Tags=tags,
        TracingConfig=tracing,
        **function.rest(),
    )["FunctionArn"]
    if reserved is not None:
        call(
            aws_lambda,
            "put_function_concurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=reserved,
        )
    return Created(name, {"Arn": arn})


@creates("AWS::Lambda::LayerVersion")
def create_layer(stack: Stack, layer: Resource) -> Created:
    """Publish a layer's version; its physical id is the version's ARN."""
    name = layer.name("LayerName", 140)
    answer = call(stack.client("lambda"), "publish_layer_version", LayerName=name, **layer.rest())
    arn = answer["LayerVersionArn"]
    return Created(arn, {"LayerVersionArn": arn})


@creates("AWS::Lambda::Permission")
def create_permission(stack: Stack, permission: Resource) -> Created:
    """Add a statement to a function's policy."""
    statement = permission.logical_id
    aws_lambda = stack.client("lambda")
    call(aws_lambda, "add_permission", StatementId=statement, **permission.rest())
    return Created(statement)


@creates("AWS::Lambda::EventInvokeConfig")
def create_event_invoke_config(stack: Stack, config: Resource) -> Created:
    """Say how often a failed asynchronous invocation is tried again, and where it goes then."""
    qualifier = config.take("Qualifier", "$LATEST")
    if qualifier != "$LATEST":
        raise TemplateError("the sandbox runs $LATEST only")
    aws_lambda = stack.client("lambda")
    call(aws_lambda, "put_function_event_invoke_config", **config.rest())
    return Created(config.logical_id)


@creates("AWS::Lambda::EventSourceMapping")
def create_event_source(stack: Stack, source: Resource) -> Created:
    """Let a function read a queue."""
    arn = source.require("EventSourceArn")
    if arn.split(":")[2] not in SOURCES:
        raise TemplateError(f"the sandbox polls queues only, not {arn}")
    aws_lambda = stack.client("lambda")
    uuid = call(aws_lambda, "create_event_source_mapping", EventSourceArn=arn, **source.rest())[
        "UUID"
    ]
    return Created(uuid, {"Id": uuid})
