"""Executions: their names, their one end, and who hears of it.

An execution is interpreted on one thread, and ends exactly once: by its program, by its time-out
or by StopExecution, whichever is first. What an abandoned task does later changes nothing.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.backend.execution import Execution as MotoExecution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from sandbox.aws.repairs import moto_module
from sandbox.aws.stepfunctions.admission import executions as admission
from sandbox.aws.stepfunctions.shapes import iso


if TYPE_CHECKING:
    from collections.abc import Callable


api = moto_module("stepfunctions.parser.api")
program_states = moto_module("stepfunctions.parser.asl.eval.program_state")
utilities = moto_module("stepfunctions.parser.utils")

log = logging.getLogger(__name__)

EXPRESS_LIMIT_SECONDS = 300.0
ENDS = {
    program_states.ProgramEnded: api.ExecutionStatus.SUCCEEDED,
    program_states.ProgramError: api.ExecutionStatus.FAILED,
    program_states.ProgramStopped: api.ExecutionStatus.ABORTED,
    program_states.ProgramTimedOut: api.ExecutionStatus.TIMED_OUT,
}
listeners: list[Callable[[Any], None]] = []
_interpreting = threading.local()


class Worker(ExecutionWorker):  # type: ignore[misc]  # moto ships no types
    """Interprets one execution on the thread that calls `run`."""

    def prepare(self) -> None:
        """Make the environment and the history's first event, so that both can be asked for."""
        self.env = self._get_evaluation_environment()
        details = {
            "input": json.dumps(self._evaluation_details.execution_details.inpt),
            "inputDetails": {"truncated": False},
            "roleArn": self._evaluation_details.aws_execution_details.role_arn,
        }
        self.env.event_manager.add_event(
            context=self.env.event_history_context,
            event_type=api.HistoryEventType.ExecutionStarted,
            event_details={"executionStartedEventDetails": details},
            update_source_event_id=False,
        )

    def run(self, program: Any) -> None:
        """Interpret the program to its end."""
        _interpreting.here = True
        program.eval(self.env)


class Execution(MotoExecution):  # type: ignore[misc]  # moto ships no types
    """One execution of a state machine as it was when the execution began."""

    def __init__(self, machine: Any, name: str, input_data: str, trace_header: str | None) -> None:
        machine = copy.copy(machine)
        machine.executions = []
        machine_arn = getattr(machine, "source_arn", machine.arn)
        super().__init__(
            name=name,
            sm_type=machine.type,
            role_arn=machine.roleArn,
            exec_arn=execution_arn(machine_arn, machine.type, name),
            account_id=machine_arn.split(":")[4],
            region_name=machine_arn.split(":")[3],
            state_machine=machine,
            start_date=datetime.now(UTC),
            cloud_watch_logging_session=None,
            activity_store={},
            input_data=input_data,
            trace_header=trace_header,
        )
        self.state_machine_arn = machine_arn
        self.exec_worker: Any = None
        self.exec_status: Any = None
        self.finished = threading.Event()
        self._ending = threading.Lock()
        self._timer: threading.Timer | None = None

    @property
    def is_express(self) -> bool:
        """Say whether nothing is kept of this execution."""
        return bool(self.sm_type == "EXPRESS")

    def get_start_execution_details(self) -> Any:
        """Give the context object its start as the text that AWS shows."""
        details = super().get_start_execution_details()
        details.start_time = iso(self.start_date)
        return details

    def _get_start_execution_worker(self) -> Worker:
        details = super()._get_start_execution_worker()._evaluation_details
        details.state_machine_details.typ = self.sm_type
        return Worker(
            evaluation_details=details,
            exec_comm=None,
            cloud_watch_logging_session=None,
            activity_store=self._activity_store,
        )

    def prepare(self) -> None:
        """Make everything that can be asked of an execution, before anybody can ask."""
        if self.exec_status is None:
            self.exec_worker = self._get_start_execution_worker()
            self.exec_worker.prepare()
            self.exec_status = api.ExecutionStatus.RUNNING

    def start(self) -> None:
        """Begin, as soon as there is a place; at once when another execution is the caller."""
        self.prepare()
        self._tell()
        nested = getattr(_interpreting, "here", False)
        admission.enter(self.exec_arn, self._run, at_once=nested or self.is_express)

    def _run(self) -> None:
        if self.finished.is_set():
            return
        try:
            program = self.exec_worker._get_evaluation_entrypoint()
            self._arm(program)
            self.exec_worker.run(program)
        except Exception as error:
            log.exception("the interpreter failed on %s", self.exec_arn)
            failure = {"error": "States.Runtime", "cause": f"{type(error).__name__}: {error}"}
            self.exec_worker.env.set_error(failure)
        finally:
            self._end()
            # moto remembers every thread it ever made.
            utilities.TMP_THREADS.clear()

    def _arm(self, program: Any) -> None:
        own = program.timeout_seconds.timeout_seconds if program.timeout_seconds else None
        limit = EXPRESS_LIMIT_SECONDS if self.is_express else None
        limits = [seconds for seconds in (own, limit) if seconds]
        if limits:
            self._timer = threading.Timer(min(limits), self._time_out)
            self._timer.daemon = True
            self._timer.start()

    def _time_out(self) -> None:
        self.exec_worker.env.set_timed_out()
        self._end({"executionTimedOutEventDetails": {"error": "States.Timeout"}})

    def stop(self, stop_date: datetime, error: str | None, cause: str | None) -> None:
        """Abort: nothing starts any more; one that has ended already stays as it is."""
        if self.finished.is_set():
            return
        env = self.exec_worker.env
        if env._program_state is None:
            env._program_state = program_states.ProgramStopped(stop_date, error, cause)
        env.set_stop(stop_date=stop_date, cause=cause, error=error)
        if isinstance(env._program_state, program_states.ProgramStopped):
            self.error, self.cause = error, cause
            given = {k: v for k, v in (("error", error), ("cause", cause)) if v}
            self._end({"executionAbortedEventDetails": given})

    def _end(self, details: dict[str, Any] | None = None) -> None:
        """Write the end down, once: status, output or error, the last event of the history."""
        with self._ending:
            if self.finished.is_set():
                return
            if self._timer:
                self._timer.cancel()
            self._write_end(details)
            self.finished.set()
        admission.leave(self.exec_arn)
        self._tell()

    def _write_end(self, details: dict[str, Any] | None) -> None:
        env = self.exec_worker.env
        end = env._program_state
        status = ENDS[type(end)]
        if details is not None:
            env.event_history_context.source_event_id = 0
            kind = getattr(api.HistoryEventType, f"Execution{_camel(status)}")
            env.event_manager.add_event(env.event_history_context, kind, details)
        env.event_manager.closed = True
        self.stop_date = datetime.now(UTC)
        if status == api.ExecutionStatus.SUCCEEDED:
            self.output = env.states.get_input()
        if isinstance(end, program_states.ProgramError):
            self.error, self.cause = end.error.get("error"), end.error.get("cause")
        self.exec_status = status

    def _tell(self) -> None:
        if not self.is_express:
            for listener in listeners:
                try:
                    listener(self)
                except Exception:
                    log.exception("a listener failed on %s", self.exec_arn)


def _camel(status: Any) -> str:
    return "".join(word.title() for word in status.value.split("_"))


def execution_arn(machine_arn: str, kind: str, name: str) -> str:
    """Return an execution's ARN; that of an Express one carries an id of its own."""
    *prefix, _, machine = machine_arn.split(":")[:7]
    middle = "express" if kind == "EXPRESS" else "execution"
    arn = ":".join([*prefix, middle, machine, name])
    return f"{arn}:{uuid.uuid4()}" if kind == "EXPRESS" else arn
