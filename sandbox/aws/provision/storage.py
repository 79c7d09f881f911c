"""DynamoDB tables and S3 buckets."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provision.calls import call
from sandbox.aws.provision.intrinsics import Created, TemplateError
from sandbox.aws.provision.stack import Resource, Stack, creates


ON_DEMAND = "DynamoDB capacity is not limited, whatever the table's throughput says."
EXPIRY = "DynamoDB items past their time to live stay; AWS also lets them stay for up to two days."
LIFECYCLE = "S3 lifecycle rules are kept but never run: objects do not expire."
SIMPLE_LIFECYCLE = {"ExpirationInDays": "Days", "ExpirationDate": "Date"}


@creates("AWS::DynamoDB::Table")
def create_table(stack: Stack, table: Resource) -> Created:
    """Make a table, with its time to live and point-in-time recovery."""
    name = table.name("TableName", 255)
    dynamodb = stack.client("dynamodb")
    expiry = table.take("TimeToLiveSpecification")
    recovery = table.take("PointInTimeRecoverySpecification")
    stream = table.take("StreamSpecification")
    encryption = table.take("SSESpecification")
    throughput = table.without_effect("ProvisionedThroughput", ON_DEMAND)
    answer = call(
        dynamodb,
        "create_table",
        TableName=name,
        ProvisionedThroughput=throughput,
        StreamSpecification={"StreamEnabled": True, **stream} if stream else None,
        SSESpecification=_encryption(encryption),
        **table.rest(),
    )["TableDescription"]
    if expiry:
        stack.not_emulated.add(EXPIRY)
        call(dynamodb, "update_time_to_live", TableName=name, TimeToLiveSpecification=expiry)
    if recovery:
        call(
            dynamodb,
            "update_continuous_backups",
            TableName=name,
            PointInTimeRecoverySpecification=recovery,
        )
    attributes = {"Arn": answer["TableArn"], "StreamArn": answer.get("LatestStreamArn", "")}
    return Created(name, {key: value for key, value in attributes.items() if value})


def _encryption(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    renamed = dict(given)
    renamed["Enabled"] = renamed.pop("SSEEnabled", True)
    return renamed


@creates("AWS::S3::Bucket")
def create_bucket(stack: Stack, bucket: Resource) -> Created:
    """Make a bucket with its encryption, access block, lifecycle, versioning and tags."""
    name = bucket.name("BucketName", 63).lower()
    s3 = stack.client("s3")
    place = {"LocationConstraint": stack.region} if stack.region != "us-east-1" else None
    call(s3, "create_bucket", Bucket=name, CreateBucketConfiguration=place)
    for prop, (operation, parameter, convert) in BUCKET_SETTINGS.items():
        given = bucket.take(prop)
        if given is not None:
            call(s3, operation, Bucket=name, **{parameter: convert(given)})
            if prop == "LifecycleConfiguration":
                stack.not_emulated.add(LIFECYCLE)
    return Created(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{stack.region}.amazonaws.com",
        },
    )


@creates("AWS::S3::BucketPolicy")
def create_bucket_policy(stack: Stack, policy: Resource) -> Created:
    """Attach a policy to a bucket."""
    bucket = policy.require("Bucket")
    document = json.dumps(policy.require("PolicyDocument"))
    call(stack.client("s3"), "put_bucket_policy", Bucket=bucket, Policy=document)
    return Created(f"{bucket}-policy")


def _bucket_encryption(given: dict[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in given["ServerSideEncryptionConfiguration"]:
        renamed = dict(rule)
        default = renamed.pop("ServerSideEncryptionByDefault", None)
        rules.append({"ApplyServerSideEncryptionByDefault": default, **renamed})
    return {"Rules": rules}


def _lifecycle(given: dict[str, Any]) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(dict(rule)) for rule in given["Rules"]]}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the API's form of a rule; the template's is flatter."""
    converted: dict[str, Any] = {"ID": rule.pop("Id", "rule"), "Status": rule.pop("Status")}
    converted["Filter"] = {"Prefix": rule.pop("Prefix", "")}
    expiry = {api: rule.pop(name) for name, api in SIMPLE_LIFECYCLE.items() if name in rule}
    if expiry:
        converted["Expiration"] = expiry
    if "NoncurrentVersionExpirationInDays" in rule:
        days = rule.pop("NoncurrentVersionExpirationInDays")
        converted["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload", "Transitions"):
        if name in rule:
            converted[name] = rule.pop(name)
    if rule:
        raise TemplateError(f"the sandbox would drop from a lifecycle rule: {', '.join(rule)}")
    return converted


def _as_is(given: Any) -> Any:
    return given


BUCKET_SETTINGS = {
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration", _as_is),
    "BucketEncryption": (
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        _bucket_encryption,
    ),
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        _as_is,
    ),
    "OwnershipControls": ("put_bucket_ownership_controls", "OwnershipControls", _as_is),
    "LifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        _lifecycle,
    ),
    "Tags": ("put_bucket_tagging", "Tagging", lambda tags: {"TagSet": tags}),
}
