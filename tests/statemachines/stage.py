"""The machines on one table, and what a test asks of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.botocore_stubber import MockRawResponse

from tailkeeper.adapters.stack import stack
from tests.support.handlers import REGION


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.statemachines.script import Script

LEASE_SECONDS, PATIENCE_SECONDS = 150, 20


@dataclass
class Faults:
    """Failures of AWS's own APIs: the next so many calls whose request holds a text are refused.

    With `late` the call is carried out, and only its answer is lost. `before` is done, once, just
    before a call whose request holds a text.
    """

    carry_out: Callable[..., AWSResponse]
    left: dict[str, int] = field(default_factory=dict)
    late: bool = False
    before: dict[str, Callable[[], None]] = field(default_factory=dict)

    def answer(self, request: Any, **more: Any) -> AWSResponse:
        """Answer botocore's `before-send`, with a throttling error where a fault is set."""
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        target = request.headers.get("X-Amz-Target", b"")
        text = f"{target.decode() if isinstance(target, bytes) else target} {body}"
        for part in [part for part in self.before if part in text]:
            self.before.pop(part)()
        found = next((part for part, n in self.left.items() if n and part in text), None)
        if found is None:
            return self.carry_out(request, **more)
        self.left[found] -= 1
        if self.late:
            self.carry_out(request, **more)
        refusal = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"})
        headers = HTTPHeaders.from_dict({"x-amzn-RequestId": str(uuid4())})
        return AWSResponse(request.url, 400, headers, MockRawResponse(refusal.encode()))


@dataclass
class Stage:
    """Converge, Sweep and Undo over an empty table; `script` says what their functions answer."""

    endpoint: str
    converge: str
    sweep: str
    undo: str
    script: Script
    faults: Faults
    earlier: set[str] = field(default_factory=set)

    @property
    def states(self) -> Any:
        """Return a client of Step Functions."""
        return states(self.endpoint)

    def empty(self, dynamodb: Any, table: str) -> None:
        """Forget what earlier tests have left."""
        for item in dynamodb.scan(TableName=table)["Items"]:
            key = {name: item[name] for name in ("pk", "sk")}
            dynamodb.delete_item(TableName=table, Key=key)
        self.earlier = set(self.converges())

    def converges(self) -> list[str]:
        """Return the executions of Converge that this test has started."""
        pages = self.states.get_paginator("list_executions").paginate(stateMachineArn=self.converge)
        found = [e["executionArn"] for page in pages for e in page["executions"]]
        return [execution for execution in found if execution not in self.earlier]

    def start(self, given: Any = None, name: str = "", machine: str = "") -> str:
        """Start a Converge, or another machine; return its execution."""
        more = {"name": name} if name else {}
        started = self.states.start_execution(
            stateMachineArn=machine or self.converge, input=json.dumps(given or {}), **more
        )
        return str(started["executionArn"])

    def ended(self, execution: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait for the end of an execution; return its description, `output` as JSON."""
        deadline = time.monotonic() + seconds
        while True:
            described = self.states.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING":
                return {**described, "output": json.loads(described.get("output", "null"))}
            assert time.monotonic() < deadline, f"{execution} runs on: {self.entered(execution)}"
            time.sleep(0.01)

    def swept(self, given: Any = None) -> dict[str, Any]:
        """Run a Sweep to its end; return its description, `output` as JSON."""
        described: dict[str, Any] = self.states.start_sync_execution(
            stateMachineArn=self.sweep, input=json.dumps(given or {})
        )
        return {**described, "output": json.loads(described.get("output", "null"))}

    def entered(self, execution: str) -> list[str]:
        """Return the states that an execution entered, in order, those of branches too."""
        read, names = self.states.get_execution_history, []
        token: dict[str, str] = {}
        while True:
            page = read(executionArn=execution, maxResults=40, **token)
            details = [event.get("stateEnteredEventDetails") for event in page["events"]]
            names += [detail["name"] for detail in details if detail]
            if not page.get("nextToken"):
                return names
            token = {"nextToken": page["nextToken"]}

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the table's items under a partition key."""
        return list(stack().table.query(kind))

    def lease(self) -> dict[str, Any]:
        """Return the lease item; empty if nobody has ever claimed it."""
        return stack().table.get("lease", "stack") or {}

    def put_lease(self, **more: Any) -> None:
        """Set the lease item."""
        stack().table.put({"pk": "lease", "sk": "stack"} | more)


@cache
def states(endpoint: str) -> Any:
    """Return a client of Step Functions for many threads, whose hosts have no prefix."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, max_pool_connections=32),
    )
