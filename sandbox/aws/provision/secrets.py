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
    name, rest = secret.name("Name", 512), secret.rest()
    is_new_value = stack.is_declared_anew(name, [text, generated])
    arn = _existing(secrets, name)
    if generated is not None and (is_new_value or not arn):
        text = _generate(secrets, dict(generated))
    if not arn:
        arn = call(secrets, "create_secret", Name=name, SecretString=text, **rest)["ARN"]
    elif is_new_value and text is not None:
        call(secrets, "put_secret_value", SecretId=name, SecretString=text)
    return Created(arn, {"Id": arn})


def _existing(secrets: Any, name: str) -> str:
    try:
        return str(secrets.describe_secret(SecretId=name)["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        return ""


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
    ssm = stack.client("ssm")
    kind, value = parameter.require("Type"), parameter.require("Value")
    tags = [{"Key": k, "Value": v} for k, v in tag_map(parameter.take("Tags", {})).items()]
    given = {"Name": name, "Type": kind, "Value": value, **parameter.rest()}
    is_new_value = stack.is_declared_anew(name, value)
    exists = bool(ssm.get_parameters(Names=[name])["Parameters"])
    if not exists:
        call(ssm, "put_parameter", Tags=tags, **given)
    elif is_new_value:
        call(ssm, "put_parameter", Overwrite=True, **given)
    return Created(name, {"Type": kind, "Value": value})
