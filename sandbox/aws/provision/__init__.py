"""A strict CloudFormation for the emulated account.

Resources are made one by one, in the order of their references, through boto3. What the real
service would do and this one does not know is an error, never a silence: an unknown type, a
property that nothing takes, a reference to nothing, a substitution left open.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.aws.provision import (
    compute,
    http_apis,
    identity,
    messaging,
    observability,
    schedules,
    secrets,
    state_machines,
    storage,
)
from sandbox.aws.provision.intrinsics import (
    NO_VALUE,
    Created,
    Resolver,
    TemplateError,
    references,
)
from sandbox.aws.provision.parameters import parameter_values
from sandbox.aws.provision.stack import ACCOUNT, HANDLERS, Resource, Stack


__all__ = ["HANDLER_MODULES", "Stack", "TemplateError", "provision"]

# Importing them registers their handlers.
HANDLER_MODULES = (
    compute,
    http_apis,
    identity,
    messaging,
    observability,
    schedules,
    secrets,
    state_machines,
    storage,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Transform",
    }
)
RESOURCE_KEYS = frozenset(
    {
        "Condition",
        "DeletionPolicy",
        "DependsOn",
        "Metadata",
        "Properties",
        "Type",
        "UpdateReplacePolicy",
    }
)


def provision(stack: Stack, template: Mapping[str, Any], given: Mapping[str, Any]) -> Stack:
    """Make every resource of a translated template; return the stack with its outputs.

    `given` holds the parameters' values. Raise TemplateError, naming the resource, for anything
    that cannot be made exactly as it is written.
    """
    _check_shape(template)
    resolver = _resolver(stack, template, given)
    wanted = {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }
    _check_types(wanted)
    for logical_id in creation_order(wanted):
        try:
            resolver.created[logical_id] = _create(stack, resolver, logical_id, wanted[logical_id])
        except (TemplateError, ClientError, BotoCoreError) as error:
            stack.close()
            kind = wanted[logical_id]["Type"]
            raise TemplateError(f"{logical_id} ({kind}): {error}") from error
        stack.resources[logical_id] = resolver.created[logical_id].ref
    stack.outputs.update(_outputs(template.get("Outputs", {}), resolver))
    return stack


def creation_order(resources: Mapping[str, Any]) -> Iterable[str]:
    """Return the logical ids, each after those it refers to; raise TemplateError on a circle."""
    before = {
        name: {found for found in _dependencies(resource) if found in resources}
        for name, resource in resources.items()
    }
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise TemplateError(f"circular dependency: {' → '.join(error.args[1])}") from error


def _dependencies(resource: Mapping[str, Any]) -> Iterable[str]:
    explicit = resource.get("DependsOn", [])
    yield from [explicit] if isinstance(explicit, str) else explicit
    yield from references(resource.get("Properties", {}))


def _check_shape(template: Mapping[str, Any]) -> None:
    unknown = set(template) - SECTIONS
    if unknown:
        raise TemplateError(f"unknown sections of the template: {sorted(unknown)}")
    for name, resource in template["Resources"].items():
        if set(resource) - RESOURCE_KEYS:
            raise TemplateError(f"{name} has unknown keys: {sorted(set(resource) - RESOURCE_KEYS)}")


def _check_types(resources: Mapping[str, Any]) -> None:
    """All at once: whoever adds three types wants to hear of three."""
    unknown = sorted({r["Type"] for r in resources.values()} - set(HANDLERS))
    if unknown:
        raise TemplateError(f"the sandbox does not know how to make {', '.join(unknown)}")


def _resolver(stack: Stack, template: Mapping[str, Any], given: Mapping[str, Any]) -> Resolver:
    def read_ssm(name: str) -> str:
        return str(stack.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    values = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": stack.region,
        "AWS::StackId": stack.arn("cloudformation", f"stack/{stack.name}/sandbox"),
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": [],
        **parameter_values(template.get("Parameters", {}), given, read_ssm),
    }
    return Resolver(values, template.get("Conditions", {}), template.get("Mappings", {}))


def _create(
    stack: Stack, resolver: Resolver, logical_id: str, described: Mapping[str, Any]
) -> Created:
    properties = resolver.resolve(described.get("Properties", {}))
    resource = Resource(stack, logical_id, properties)
    created = HANDLERS[described["Type"]](stack, resource)
    if resource.properties:
        dropped = ", ".join(sorted(resource.properties))
        raise TemplateError(f"the sandbox would drop these properties: {dropped}")
    return created


def _outputs(described: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    outputs = {}
    for name, output in described.items():
        if "Condition" in output and not resolver.holds(output["Condition"]):
            continue
        value = resolver.resolve(output["Value"])
        if value is NO_VALUE:
            raise TemplateError(f"output {name} has no value")
        outputs[name] = value
    return outputs
