"""Step Functions state machines, whose definitions are read as CloudFormation reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.aws.provision.calls import call, camel, tag_map
from sandbox.aws.provision.intrinsics import Created, TemplateError, as_text
from sandbox.aws.provision.stack import Resource, Stack, creates


if TYPE_CHECKING:
    from collections.abc import Mapping


PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_.:\-]+)\}")
TRACING = "X-Ray receives nothing."


@creates("AWS::StepFunctions::StateMachine")
def create_state_machine(stack: Stack, machine: Resource) -> Created:
    """Make a state machine; its physical id is its ARN."""
    name = machine.name("StateMachineName", 80)
    values = machine.take("DefinitionSubstitutions", {})
    definition = substituted(_definition(stack, machine), values)
    tracing = machine.without_effect("TracingConfiguration", TRACING)
    arn = call(
        stack.client("stepfunctions"),
        "create_state_machine",
        name=name,
        definition=json.dumps(definition),
        roleArn=machine.require("RoleArn"),
        type=machine.take("StateMachineType", "STANDARD"),
        loggingConfiguration=camel(machine.take("LoggingConfiguration")),
        tracingConfiguration=camel(tracing),
        tags=[{"key": k, "value": v} for k, v in tag_map(machine.take("Tags", [])).items()],
    )["stateMachineArn"]
    return Created(arn, {"Arn": arn, "Name": name})


def substituted(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition, JSON or YAML, with every `${Name}` replaced in its text.

    Raise TemplateError for a name without a value, a value that nothing asks for, and a
    definition that does not parse.
    """
    asked = set(PLACEHOLDER.findall(text))
    if asked - set(values):
        raise TemplateError(f"no value for the substitutions {sorted(asked - set(values))}")
    if set(values) - asked:
        raise TemplateError(f"substitutions that nothing uses: {sorted(set(values) - asked)}")
    filled = PLACEHOLDER.sub(lambda match: as_text(values[match[1]]), text)
    try:
        definition = yaml.load(filled, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise TemplateError(f"the definition does not parse: {error}") from error
    if not isinstance(definition, dict):
        raise TemplateError("the definition is not an object")
    return definition


def _definition(stack: Stack, machine: Resource) -> str:
    if "Definition" in machine.properties:
        return json.dumps(machine.take("Definition"))
    if "DefinitionString" in machine.properties:
        return str(machine.take("DefinitionString"))
    place = machine.require("DefinitionS3Location")
    body = stack.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"]
    return str(body.read().decode())
