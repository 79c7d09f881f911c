"""How states run: on the execution's own thread, stopping when it stops, within their sizes."""

from __future__ import annotations

import copy
import json
import threading
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.repairs import moto_module, original, replace
from sandbox.aws.stepfunctions.shapes import iso
from sandbox.aws.stepfunctions.starting import MAX_PAYLOAD_BYTES


asl = "stepfunctions.parser.asl.component"
api = moto_module("stepfunctions.parser.api")
components = moto_module(f"{asl}.eval_component")
programs = moto_module(f"{asl}.program.program")
state = moto_module(f"{asl}.state.state")
execute = moto_module(f"{asl}.state.exec.execute_state")
timeouts = moto_module(f"{asl}.common.timeouts.timeout")
result_path = moto_module(f"{asl}.common.path.result_path")
choice = moto_module(f"{asl}.state.choice.state_choice")
failures = moto_module(f"{asl}.common.error_name.failure_event")
names = moto_module(f"{asl}.common.error_name.states_error_name")
kinds = moto_module(f"{asl}.common.error_name.states_error_name_type")
inline = moto_module(f"{asl}.state.exec.state_map.iteration.inline_iteration_component")
environments = moto_module("stepfunctions.parser.asl.eval.environment")
quota_users = [
    state,
    moto_module(f"{asl}.state.exec.state_task.service.state_task_service"),
    moto_module(f"{asl}.state.exec.state_task.state_task_lambda"),
]

INLINE_MAP_CONCURRENCY = 40


def repair() -> None:
    """Replace how moto runs programs, states, Choice and inline Map."""
    replace(programs.Program, "eval", _run_program)
    replace(environments.Environment, "set_error", _set_error)
    replace(environments.Environment, "set_timed_out", _set_timed_out)
    replace(execute.ExecutionState, "_evaluate_with_timeout", _evaluate_with_timeout)
    replace(result_path.ResultPath, "_eval_body", _apply_result_path)
    replace(state, "StateData", _state_data)
    replace(choice.StateChoice, "_eval_state", _choose)
    replace(choice.StateChoice, "_eval_state_output", _leave_choice)
    replace(inline.InlineIterationComponent, "_eval_body", _run_inline_map)
    for module in quota_users:
        replace(module, "is_within_size_quota", is_within_size_quota)


def is_within_size_quota(value: Any) -> bool:
    """Say whether a payload fits 256 KiB; moto counts blanks and escapes that AWS does not."""
    text = (
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)
    )
    if len(text) < MAX_PAYLOAD_BYTES // 6:
        return True
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return len(compact.encode()) <= MAX_PAYLOAD_BYTES


def _run_program(self: Any, env: Any) -> None:
    """Run on this thread: time-outs are the execution's, and a frame of a stopped one is over."""
    if env._program_state is None or env.is_running():
        env.next_state_name = self.start_at.start_at_name
        components.EvalComponent.eval(self, env)


def _set_error(self: Any, error: Any) -> None:
    """Fail, unless the execution was stopped or has ended; moto turns ABORTED into FAILED."""
    if self._program_state is None or self.is_running():
        original(environments.Environment, "set_error")(self, error)


def _set_timed_out(self: Any) -> None:
    if self._program_state is None or self.is_running():
        original(environments.Environment, "set_timed_out")(self)


def _evaluate_with_timeout(self: Any, env: Any) -> None:
    """Do the state's work in a frame; on a thread of its own only when it may have to be left."""
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    try:
        if self.timeout.is_default_value():
            self._eval_execution(frame)
        else:
            self.timeout.eval(env=env)
            _execute_within(env.stack.pop(), self, frame)
        output = frame.stack[-1]
    finally:
        frame.set_ended()
        env.close_frame(frame)
    env.stack.append(output)
    _hand_on(self, env, output)


def _execute_within(seconds: float, task: Any, frame: Any) -> None:
    raised: list[Exception] = []

    def work() -> None:
        try:
            task._eval_execution(frame)
        except Exception as error:  # noqa: BLE001 - it is raised again on the waiting thread
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise timeouts.EvalTimeoutError
    if raised:
        raise raised[0]


def _hand_on(self: Any, env: Any, output: Any) -> None:
    """Evaluate Assign, ResultSelector and ResultPath, as moto does after a task's work."""
    if not self._is_language_query_jsonpath():
        env.states.set_result(output)
    for part in (self.assign_decl, self.result_selector, self.result_path):
        if part:
            part.eval(env=env)


def _apply_result_path(self: Any, env: Any) -> None:
    """Skip the default path `$`, whose parsing was a third of a state's cost."""
    if self.result_path_src != "$":
        original(result_path.ResultPath, "_eval_body")(self, env)


def _state_data(**fields: Any) -> dict[str, Any]:
    """Begin a state in the context object, with AWS's time format and a retry count."""
    return {**fields, "EnteredTime": iso(datetime.now(UTC)), "RetryCount": 0}


def _choose(self: Any, env: Any) -> None:
    """Push the next state's name and whether it is the default."""
    for rule in self.choices_decl.rules:
        rule.eval(env)
        if env.stack.pop() is True:
            env.stack.append((rule.next_stmt.name, False))
            return
    if self.default_state is None:
        raise _no_choice_matched(self, env)
    env.stack.append((self.default_state.state_name, True))


def _no_choice_matched(self: Any, env: Any) -> Exception:
    kind = kinds.StatesErrorNameType.StatesNoChoiceMatched
    cause = f"No choice rule of the state '{self.name}' matched, and it has no Default."
    failure: Exception = failures.FailureEventException(
        failures.FailureEvent(
            env=env,
            error_name=names.StatesErrorName(typ=kind),
            event_type=api.HistoryEventType.ExecutionFailed,
            event_details={
                "executionFailedEventDetails": {"error": kind.to_name(), "cause": cause}
            },
        )
    )
    return failure


def _leave_choice(self: Any, env: Any) -> None:
    """Evaluate the state's own Assign and Output for its Default only, whatever rules lead to."""
    next_state_name, is_default = env.stack.pop()
    if is_default:
        for part in (self.assign_decl, self.output):
            if part:
                part.eval(env=env)
    if self._is_language_query_jsonpath():
        if self.output_path:
            self.output_path.eval(env=env)
        else:
            env.states.reset(input_value=env.stack.pop())
    env.next_state_name = next_state_name


def _run_inline_map(self: Any, env: Any) -> None:
    """Work on at most 40 items at a time, as AWS's inline mode; moto has a thread per item."""
    eval_input = env.stack.pop()
    items = eval_input.input_items
    pool = inline.JobPool(job_program=self._get_iteration_program(), job_inputs=items)
    limit = eval_input.max_concurrency or INLINE_MAP_CONCURRENCY
    for _ in range(min(len(items), limit, INLINE_MAP_CONCURRENCY)):
        self._launch_worker(env=env, eval_input=eval_input, job_pool=pool)
    pool.await_jobs()
    if pool.get_worker_exception() is not None:
        raise pool.get_worker_exception()
    env.stack.append([job.job_output for job in pool.get_closed_jobs()])
