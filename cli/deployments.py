"""A deployed tailkeeper, in the sandbox or on AWS, and clients for what it is made of."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.problems import Misuse, Problem
from tailkeeper.adapters.aws import AwsError


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

SANDBOX = "TAILKEEPER_SANDBOX"
STACK = "tailkeeper"
REMEDY = f"give --sandbox FILE, set {SANDBOX}, or name a deployed stack with --stack"


@dataclass(frozen=True)
class Deployment:
    """State machines by name, the table, the artifact bucket; `speed` is that of its clock."""

    machines: Mapping[str, str]
    table: str
    artifacts: str
    session: boto3.Session = field(default_factory=boto3.Session)
    endpoint_url: str | None = None
    speed: float = 1.0

    @cached_property
    def states(self) -> SFNClient:
        """Return a client of Step Functions."""
        return self.session.client("stepfunctions", **self._options)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Return a client of DynamoDB."""
        return self.session.client("dynamodb", **self._options)

    @cached_property
    def s3(self) -> S3Client:
        """Return a client of S3."""
        return self.session.client("s3", **self._options)

    def machine(self, name: str) -> str:
        """Return a state machine's ARN; raise Misuse when the deployment has none of this name."""
        if name not in self.machines:
            known = ", ".join(sorted(self.machines)) or "none"
            raise Misuse(f"there is no state machine {name} here; there are: {known}")
        return self.machines[name]

    @property
    def _options(self) -> dict[str, Any]:
        # On AWS, StartSyncExecution is at a host of its own; an endpoint of ours has one host.
        config = Config(inject_host_prefix=not self.endpoint_url, retries={"mode": "standard"})
        return {"endpoint_url": self.endpoint_url, "config": config}


@contextmanager
def opened(sandbox: str | None, stack: str | None) -> Iterator[Deployment]:
    """Yield the deployment that the options name; AWS's errors leave the block as a Problem."""
    file = sandbox or (None if stack else os.environ.get(SANDBOX))
    try:
        yield of_sandbox(Path(file)) if file else of_stack(stack or STACK)
    except (BotoCoreError, ClientError, AwsError) as error:
        where = f"the sandbox of {file}" if file else "AWS"
        remedy = f"is it still running? start it with `tailkeeper up --state {file}`"
        raise Problem(f"{where}: {error}" + (f"\n{remedy}" if file else "")) from error


def of_sandbox(file: Path) -> Deployment:
    """Return the deployment of a connection file; raise Misuse when it cannot be one."""
    return of_connection(read_connection(file))


def of_connection(connection: Mapping[str, Any]) -> Deployment:
    """Return the deployment of a connection file's document."""
    aws = connection["aws"]
    session = boto3.Session(
        aws["access_key_id"], aws["secret_access_key"], region_name=aws["region"]
    )
    return Deployment(
        machines=connection["state_machines"],
        table=aws["table"],
        artifacts=aws["artifacts"],
        session=session,
        endpoint_url=aws["endpoint_url"],
        speed=float(connection["speed"]),
    )


def read_connection(file: Path) -> dict[str, Any]:
    """Return a connection file's document; raise Misuse when it is not one."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        start = f"start a sandbox with `tailkeeper up --state {file}`"
        raise Misuse(f"{file}: {error.strerror}: {start}") from None
    except ValueError:
        raise Misuse(f"{file} is not JSON: give the file that `tailkeeper up` wrote") from None
    needed = {"aws", "state_machines", "speed"}
    if not isinstance(document, dict) or not needed <= document.keys():
        raise Misuse(f"{file} is not a connection file: give the one that `tailkeeper up` wrote")
    return document


def of_stack(name: str) -> Deployment:
    """Return the deployment of a CloudFormation stack in the ambient AWS session."""
    session = boto3.Session()
    if not session.region_name:
        raise Misuse(f"no AWS region is configured: set AWS_DEFAULT_REGION, or {REMEDY}")
    if not session.get_credentials():
        raise Misuse(f"no AWS credentials were found: {REMEDY}")
    try:
        stacks = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise Misuse(f"there is no stack {name} in {session.region_name}: {REMEDY}") from None
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks[0].get("Outputs", [])}
    arns = {key[:-3]: value for key, value in outputs.items() if key.endswith("Arn")}
    if "TableName" not in outputs or not arns:
        raise Misuse(f"the stack {name} is not a tailkeeper: {REMEDY}")
    return Deployment(arns, outputs["TableName"], outputs["ArtifactsBucket"], session)
