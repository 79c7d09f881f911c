"""What an operator does with a stack that has just been deployed, and what there is to know of it.

`stack` is what the AWS half says when it is ready (`sandbox.aws.server.Server.describe`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3


if TYPE_CHECKING:
    from collections.abc import Mapping


def aws_part(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection file's part on AWS."""
    names = ("endpoint_url", "region", "access_key_id", "secret_access_key")
    outputs = stack["outputs"]
    return {
        **{name: stack[name] for name in names},
        "table": outputs["TableName"],
        "artifacts": outputs["ArtifactsBucket"],
        "topic": outputs["Notifications"],
        "log_group": stack["resources"]["Logs"],
    }


def machines_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the state machines' ARNs by name, from the stack's outputs."""
    outputs = stack["outputs"].items()
    return {name.removesuffix("Arn"): arn for name, arn in outputs if name.endswith("Arn")}


def fill_secrets(stack: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Give the stack's secrets their values, as its operator does after a deploy."""
    session = boto3.Session(
        stack["access_key_id"], stack["secret_access_key"], region_name=stack["region"]
    )
    client = session.client("secretsmanager", endpoint_url=stack["endpoint_url"])
    for name, value in values.items():
        client.put_secret_value(SecretId=stack["resources"][name], SecretString=json.dumps(value))
