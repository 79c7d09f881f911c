"""What the API answers about executions: start (also synchronously), describe, stop, list.

By the AWS Step Functions API reference; errors carry AWS's codes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.aws.repairs import add, moto_module, replace
from sandbox.aws.stepfunctions.starting import machine_of


if TYPE_CHECKING:
    from sandbox.aws.stepfunctions.executions import Execution


errors = moto_module("stepfunctions.parser.api")
responses = moto_module("stepfunctions.responses")
core = moto_module("core.responses")


def repair() -> None:
    """Replace the operations that moto answers in another way than AWS, and add the missing."""
    for error in vars(errors).values():
        if isinstance(error, type) and hasattr(error, "sender_fault"):
            _give_code(error)
    for operation in (describe_execution, list_executions, stop_execution, send_task_failure):
        replace(responses.StepFunctionResponse, operation.__name__, operation)
    replace(responses.StepFunctionResponse, "start_execution", answer_start_execution)
    add(responses.StepFunctionResponse, "start_sync_execution", start_sync_execution)


def _give_code(error: Any) -> None:
    """Let an error of the interpreter's API carry its code, also without a message."""

    def begin(self: Any, message: str = "") -> None:
        super(error, self).__init__(message or error.__name__, error.code)

    error.__init__ = begin


def answer_start_execution(self: Any) -> Any:
    """StartExecution."""
    execution = self.stepfunction_backend.start_execution(
        self._get_param("stateMachineArn"),
        self._get_param("name"),
        self._get_param("input"),
        self._get_param("traceHeader"),
    )
    return core.ActionResult(
        {"executionArn": execution.exec_arn, "startDate": execution.start_date}
    )


def start_sync_execution(self: Any) -> Any:
    """StartSyncExecution: wait for an Express execution and answer with its result."""
    backend = self.stepfunction_backend
    machine = machine_of(backend, self._get_param("stateMachineArn"))
    if machine.type != "EXPRESS":
        raise errors.StateMachineTypeNotSupported(
            "This operation is not supported by this type of state machine"
        )
    execution = backend.start_execution(
        machine.arn,
        self._get_param("name"),
        self._get_param("input"),
        self._get_param("traceHeader"),
    )
    execution.finished.wait()
    return core.ActionResult(_description(execution) | {"billingDetails": _bill(execution)})


def _bill(execution: Execution) -> dict[str, int]:
    """Return what AWS would count: 100 ms steps, at least 64 MB."""
    took = (execution.stop_date - execution.start_date).total_seconds() * 1000
    return {
        "billedDurationInMilliseconds": max(100, -(-int(took) // 100) * 100),
        "billedMemoryUsedInMB": 64,
    }


def _description(execution: Execution) -> dict[str, Any]:
    """Return what every answer about an execution says of it."""
    output = json.dumps(execution.output) if execution.status == "SUCCEEDED" else None
    described = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": output,
        "outputDetails": {"included": True} if output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        "traceHeader": execution.trace_header,
    }
    return {k: v for k, v in described.items() if v is not None}


def describe_execution(self: Any) -> Any:
    """DescribeExecution; the output is JSON text also when it is a string."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    return core.ActionResult(
        _description(execution) | {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE"}
    )


def list_executions(self: Any) -> Any:
    """ListExecutions, newest first, with the stop date of everything that stopped."""
    backend, arn = self.stepfunction_backend, self._get_param("stateMachineArn")
    if backend.describe_state_machine(arn).type == "EXPRESS":
        raise errors.StateMachineTypeNotSupported(
            "This operation is not supported by this type of state machine"
        )
    found, next_token = backend.list_executions(
        arn,
        status_filter=self._get_param("statusFilter"),
        max_results=self._get_int_param("maxResults"),
        next_token=self._get_param("nextToken"),
    )
    wanted = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")
    listed = [{k: v for k, v in _description(e).items() if k in wanted} for e in found]
    return core.ActionResult({"executions": listed, "nextToken": next_token})


def stop_execution(self: Any) -> Any:
    """StopExecution, with the error and the cause that the caller gives."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    execution.stop(datetime.now(UTC), self._get_param("error"), self._get_param("cause"))
    return core.ActionResult({"stopDate": execution.stop_date or datetime.now(UTC)})


def send_task_failure(self: Any) -> Any:
    """SendTaskFailure, with its cause."""
    self.stepfunction_backend.send_task_failure(
        self._get_param("taskToken"),
        error=self._get_param("error"),
        cause=self._get_param("cause"),
    )
    return core.EmptyResult()
