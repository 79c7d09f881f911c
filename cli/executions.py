"""Executions of a deployment: started, waited for, their histories read."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli import history


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.deployments import Deployment
    from cli.history import History

# Step Functions refills GetExecutionHistory at 20 calls a second for the whole account.
POLL_SECONDS, SANDBOX_POLL_SECONDS = 1.0, 0.25
PAGE = 1000


@dataclass(frozen=True)
class Ended:
    """An execution that is over: its ARN, status, output (None unless it succeeded) and why."""

    arn: str
    status: str
    output: dict[str, Any] | None
    why: str = ""

    def abandoned(self, *, before_us: bool) -> bool:
        """Say whether it left its lease to expire and never saw causes that came later than it.

        A run that was cut short did, and one that had failed before ours was started (`before_us`).
        """
        cut_short = self.status in {"GONE", "ABORTED", "TIMED_OUT"}
        return cut_short or (before_us and self.status == "FAILED")

    @property
    def outcome(self) -> str:
        """Return the outcome; whatever did not succeed has failed."""
        return str((self.output or {}).get("outcome", "failed"))


def start(
    deployment: Deployment, machine: str, document: Mapping[str, Any], *, name: str = ""
) -> str:
    """Start a Standard execution; return its ARN, which is that of an earlier one of its name."""
    arn, named = deployment.machine(machine), {"name": name} if name else {}
    try:
        answer = deployment.states.start_execution(
            stateMachineArn=arn, input=json.dumps(document), **named
        )
    except deployment.states.exceptions.ExecutionAlreadyExists:
        return f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
    return answer["executionArn"]


def run_express(deployment: Deployment, machine: str, document: Mapping[str, Any]) -> Ended:
    """Run an Express execution to its end."""
    answer = deployment.states.start_sync_execution(
        stateMachineArn=deployment.machine(machine), input=json.dumps(document)
    )
    output = json.loads(answer["output"]) if answer.get("output") else None
    why = ": ".join(filter(None, (answer.get("error"), answer.get("cause"))))
    return Ended(answer["executionArn"], answer["status"], output, why)


def read_history(deployment: Deployment, arn: str) -> History:
    """Return what an execution has done so far."""
    pages = deployment.states.get_paginator("get_execution_history").paginate(
        executionArn=arn, includeExecutionData=True, PaginationConfig={"PageSize": PAGE}
    )
    return history.read(event for page in pages for event in page["events"])


def wait(deployment: Deployment, arn: str) -> Ended:
    """Wait for an execution's end."""
    while (over := described(deployment, arn)) is None:
        pause(deployment)
    return over


def pause(deployment: Deployment) -> None:
    """Wait until it is decent to ask again."""
    time.sleep(SANDBOX_POLL_SECONDS if deployment.endpoint_url else POLL_SECONDS)


def described(deployment: Deployment, arn: str) -> Ended | None:
    """Return how an execution ended, or None while it runs; one that is not there is GONE."""
    try:
        answer = deployment.states.describe_execution(executionArn=arn)
    except deployment.states.exceptions.ExecutionDoesNotExist:
        return Ended(arn, "GONE", None, "the execution is not there any more")
    if answer["status"] == "RUNNING":
        return None
    output = json.loads(answer["output"]) if "output" in answer else None
    why = ": ".join(filter(None, (answer.get("error"), answer.get("cause"))))
    return Ended(arn, answer["status"], output, why)


def is_of(deployment: Deployment, machine: str, arn: str) -> bool:
    """Say whether an execution is one of a machine's."""
    name = deployment.machines.get(machine, "").rpartition(":")[2]
    return bool(name) and arn.split(":")[-2:-1] == [name]


def started_since(deployment: Deployment, machine: str, moment: float) -> Iterator[str]:
    """Yield the ARNs of executions that started after an epoch second, newest first."""
    pages = deployment.states.get_paginator("list_executions").paginate(
        stateMachineArn=deployment.machine(machine)
    )
    for page in pages:
        for execution in page["executions"]:
            if execution["startDate"].timestamp() < moment:
                return
            yield execution["executionArn"]


def unpacked(deployment: Deployment, packed: Mapping[str, Any]) -> Any:
    """Return the document of a packed payload: it is inline, or an object of the bucket."""
    if "artifact" not in packed:
        return packed["inline"]
    found = deployment.s3.get_object(Bucket=deployment.artifacts, Key=packed["artifact"])
    return json.loads(found["Body"].read())
