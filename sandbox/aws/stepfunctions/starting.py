"""Starting an execution: which machine, under which name, with which input; and keeping it.

By the API reference of StartExecution.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.stepfunctions.executions import Execution


errors = moto_module("stepfunctions.parser.api")
models = moto_module("stepfunctions.models")
parser_models = moto_module("stepfunctions.parser.models")

MAX_PAYLOAD_BYTES = 256 * 1024
KEPT_EXECUTIONS = 2000
BAD_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
_keeping = threading.Lock()


def repair() -> None:
    """Replace how moto's backend starts and finds executions."""
    replace(parser_models.StepFunctionsParserBackend, "start_execution", start_execution)
    replace(models.StepFunctionBackend, "describe_execution", find_execution)


def start_execution(
    self: Any,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: str | None = None,
) -> Execution:
    """Start a Standard or an asynchronous Express execution; without a name it gets a UUID."""
    machine = machine_of(self, state_machine_arn)
    execution_input = _checked_input(execution_input)
    execution = Execution(machine, _checked_name(name), execution_input, trace_header)
    if not execution.is_express:
        source = self.describe_state_machine(execution.state_machine_arn)
        # Two requests with one name must not both find it free.
        with _keeping:
            running = source._handle_name_input_idempotency(name, execution_input) if name else None
            if running:
                return running  # type: ignore[no-any-return]  # moto ships no types
            _keep(source.executions, execution)
            execution.prepare()
    execution.start()
    return execution


def machine_of(backend: Any, arn: str) -> Any:
    """Return the state machine, version or the version an alias routes most to."""
    try:
        return backend.describe_state_machine(arn)
    except models.StateMachineDoesNotExist:
        if arn.count(":") != 7:
            raise
    alias = backend.describe_state_machine_alias(arn)
    route = max(alias.routing_configuration, key=lambda r: r["weight"])
    return backend.describe_state_machine(route["stateMachineVersionArn"])


def _checked_name(name: str | None) -> str:
    if name is None or name == "":
        return str(uuid.uuid4())
    if len(name) > 80 or BAD_NAME.search(name):
        raise errors.InvalidName(f"Invalid Name: '{name}'")
    return name


def _checked_input(text: str | None) -> str:
    text = text or "{}"
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise errors.ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_PAYLOAD_BYTES}"
        )
    try:
        json.loads(text)
    except ValueError as error:
        raise errors.InvalidExecutionInput(
            f"Invalid State Machine Execution Input: '{error}'"
        ) from error
    return text


def _keep(kept: list[Any], execution: Execution) -> None:
    """Remember the execution, and forget the oldest that have ended; AWS does after 90 days."""
    kept.append(execution)
    if len(kept) > KEPT_EXECUTIONS:
        kept[:] = [e for e in kept[: KEPT_EXECUTIONS // 2] if not e.finished.is_set()] + kept[
            KEPT_EXECUTIONS // 2 :
        ]


def find_execution(self: Any, execution_arn: str) -> Execution:
    """Return a Standard execution; an Express one is not kept, and its ARN is refused."""
    if ":express:" in execution_arn:
        raise errors.InvalidArn("Invalid Arn: 'Resource type not valid in this context: express'")
    found: Execution = original(models.StepFunctionBackend, "describe_execution")(
        self, execution_arn
    )
    return found
