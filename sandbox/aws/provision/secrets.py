"""Secrets Manager secrets and SSM parameters.

Both may be changed while the world runs. As in CloudFormation, a template's value is only written
again when the template's value itself changed: a world that is restored keeps what was set since.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provision.calls import call, tag_map
from sandbox.aws.provision.intrinsics import Created, TemplateError
from sandbox.aws.provision.stack import Resource, Stack, creates


@creates("AWS::SecretsManager::Secret")
def create_secret(stack: Stack, secret: Resource) -> Created:
    """Make a secret of a given or a generated text; its physical id is its ARN."""
    secrets = stack.client("secretsmanager")
    generated = secret.take("GenerateSecretString")
    text = secret.take("SecretString")
    if text is not None and generated is not None:
        raise TemplateError("SecretString and GenerateSecretString exclude each other")
    if generated is not None:
        text = _generate(secrets, dict(generated))
    arn = call(
        secrets,
        "create_secret",
        Name=secret.name("Name", 512),
        SecretString=text,
        **secret.rest(),
    )["ARN"]
    return Created(arn, {"Id": arn})


def _generate(secrets: Any, wish: dict[str, Any]) -> str:
    template = wish.pop("SecretStringTemplate", None)
    key = wish.pop("GenerateStringKey", None)
    password = str(call(secrets, "get_random_password", **wish)["RandomPassword"])
    if template is None and key is None:
        return password
    if template is None or key is None:
        raise TemplateError("SecretStringTemplate and GenerateStringKey need each other")
    return json.dumps({**json.loads(template), key: password})


@creates("AWS::SSM::Parameter")
def create_parameter(stack: Stack, parameter: Resource) -> Created:
    """Make an SSM parameter."""
    name = parameter.name("Name", 1011)
    kind, value = parameter.require("Type"), parameter.require("Value")
    tags = [{"Key": k, "Value": v} for k, v in tag_map(parameter.take("Tags", {})).items()]
    call(
        stack.client("ssm"),
        "put_parameter",
        Name=name,
        Type=kind,
        Value=value,
        Tags=tags,
        **parameter.rest(),
    )
    return Created(name, {"Type": kind, "Value": value})
