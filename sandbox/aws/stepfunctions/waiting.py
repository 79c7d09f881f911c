"""Time in a state machine: Wait and retry intervals run at the world's speed, and stop at once.

Time-outs are not divided: they guard handlers that take real time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.stepfunctions.admission import executions


asl = "stepfunctions.parser.asl.component"
waits = moto_module(f"{asl}.state.wait.wait_function.wait_function")
timestamps = moto_module(f"{asl}.state.wait.wait_function.timestamp")
failures = moto_module(f"{asl}.common.error_name.failure_event")
retriers = moto_module(f"{asl}.common.retry.retrier_decl")
outcomes = moto_module(f"{asl}.common.retry.retrier_outcome")
attempts = moto_module(f"{asl}.common.retry.max_attempts_decl")
callbacks = moto_module(f"{asl}.state.exec.state_task.service.state_task_service_callback")

POLL_SECONDS = 0.05
_speed = 1.0


def repair() -> None:
    """Replace every place where moto's interpreter sleeps."""
    replace(waits.WaitFunction, "_wait_interval", _wait)
    replace(timestamps.Timestamp, "_get_wait_seconds", _seconds_until)
    replace(retriers.RetrierDecl, "_eval_body", _retry)
    replace(callbacks, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", POLL_SECONDS)
    replace(callbacks.StateTaskServiceCallback, "_eval_integration_pattern", _integrate)


def set_speed(speed: float) -> None:
    """Divide intervals by `speed` from now on."""
    global _speed  # noqa: PLW0603 - moto has one interpreter, and it has one pace
    _speed = speed


def wait(env: Any, seconds: float) -> None:
    """Wait for a state machine's interval, or until its execution stops."""
    step_aside(env)
    deadline = time.monotonic() + seconds / _speed
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(left)


def step_aside(env: Any) -> None:
    """Give the place away: the execution waits for something other than us."""
    executions.leave(env.states.context_object.context_object_data["Execution"]["Id"])


def _wait(_: Any, env: Any, wait_seconds: float) -> None:
    wait(env, wait_seconds)


def _seconds_until(self: Any, env: Any) -> float:
    """Read a Timestamp as the UTC, or the offset, that it says; moto compares it to local time."""
    self.string.eval(env=env)
    text = env.stack.pop()
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise failures.FailureEventException(self._create_failure_event(env, text)) from error
    if moment.tzinfo is None or "T" not in text:
        raise failures.FailureEventException(self._create_failure_event(env, text))
    return (moment - datetime.now(UTC)).total_seconds()


def _retry(self: Any, env: Any) -> None:
    """Do what moto's retrier does, with a wait that knows the world's speed and StopExecution."""
    self.error_equals.eval(env)
    if not env.stack.pop():
        env.stack.append(outcomes.RetrierOutcome.Skipped)
        return
    self.max_attempts.eval(env=env)
    if env.stack.pop() == attempts.MaxAttemptsOutcome.EXHAUSTED:
        env.stack.append(outcomes.RetrierOutcome.Failed)
        return
    for part in ("interval_seconds", "backoff_rate", "max_delay_seconds", "jitter_strategy"):
        getattr(self, part).eval(env=env)
    wait(env, env.stack.pop())
    env.stack.append(outcomes.RetrierOutcome.Executed)


def _integrate(self: Any, env: Any, **arguments: Any) -> None:
    step_aside(env)
    original(callbacks.StateTaskServiceCallback, "_eval_integration_pattern")(
        self, env=env, **arguments
    )
