"""IAM roles and policies, by which `sandbox.aws.permissions` refuses; and KMS keys."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provision.calls import call
from sandbox.aws.provision.intrinsics import Created, TemplateError
from sandbox.aws.provision.stack import ACCOUNT, Resource, Stack, creates


AWS_MANAGED = "arn:aws:iam::aws:policy/"
POLICY_VERSION = "2012-10-17"


def _document(policy: dict[str, Any]) -> str:
    """Return the policy as text; SAM's have no Version, and moto insists on one."""
    if not policy.get("Statement"):
        raise TemplateError("a policy without a Statement")
    return json.dumps({"Version": POLICY_VERSION, **policy})


@creates("AWS::IAM::Role")
def create_role(stack: Stack, role: Resource) -> Created:
    """Make a role with its inline policies; AWS's managed ones are not loaded here."""
    name = role.name("RoleName")
    iam = stack.client("iam")
    inline, managed = role.take("Policies", []), role.take("ManagedPolicyArns", [])
    trust = json.dumps(role.require("AssumeRolePolicyDocument"))
    answer = call(iam, "create_role", RoleName=name, AssumeRolePolicyDocument=trust, **role.rest())[
        "Role"
    ]
    for policy in inline:
        call(
            iam,
            "put_role_policy",
            RoleName=name,
            PolicyName=policy["PolicyName"],
            PolicyDocument=_document(policy["PolicyDocument"]),
        )
    for arn in managed:
        if not arn.startswith(AWS_MANAGED):
            call(iam, "attach_role_policy", RoleName=name, PolicyArn=arn)
    return Created(name, {"Arn": answer["Arn"], "RoleId": answer["RoleId"]})


@creates("AWS::IAM::ManagedPolicy")
def create_managed_policy(stack: Stack, policy: Resource) -> Created:
    """Make a policy of the account's own and attach it to the roles it names."""
    iam = stack.client("iam")
    roles = policy.take("Roles", [])
    arn = call(
        iam,
        "create_policy",
        PolicyName=policy.name("ManagedPolicyName", 128),
        PolicyDocument=_document(policy.require("PolicyDocument")),
        **policy.rest(),
    )["Policy"]["Arn"]
    for role in roles:
        call(iam, "attach_role_policy", RoleName=role, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


@creates("AWS::IAM::Policy")
def create_policy(stack: Stack, policy: Resource) -> Created:
    """Write an inline policy into the roles it names."""
    name = policy.require("PolicyName")
    document = _document(policy.require("PolicyDocument"))
    for role in policy.require("Roles"):
        iam = stack.client("iam")
        call(iam, "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=document)
    return Created(name)


@creates("AWS::KMS::Key")
def create_key(stack: Stack, key: Resource) -> Created:
    """Make a key; the sandbox encrypts nothing at rest with it."""
    kms = stack.client("kms")
    rotated, policy = key.take("EnableKeyRotation", False), key.take("KeyPolicy")
    waiting = key.take("PendingWindowInDays")  # only a deletion would need it
    made = call(
        kms,
        "create_key",
        Policy=json.dumps(policy or _owner_policy()),
        Tags=[{"TagKey": t["Key"], "TagValue": t["Value"]} for t in key.take("Tags", [])],
        **key.rest(),
    )["KeyMetadata"]
    if waiting is not None:
        stack.not_emulated.add("KMS keys are never deleted here.")
    if rotated:
        call(kms, "enable_key_rotation", KeyId=made["KeyId"])
    return Created(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


@creates("AWS::KMS::Alias")
def create_alias(stack: Stack, alias: Resource) -> Created:
    """Name a key."""
    name = alias.require("AliasName")
    kms = stack.client("kms")
    call(kms, "create_alias", AliasName=name, TargetKeyId=alias.require("TargetKeyId"))
    return Created(name)


def _owner_policy() -> dict[str, Any]:
    owner = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    allow = {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    return {"Version": POLICY_VERSION, "Statement": [allow]}
