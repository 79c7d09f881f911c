"""One worker: a process of one function, and the invocations that it carries out one by one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.aws.workers.runtime_api import Request, RuntimeApi, WorkerGoneError


if TYPE_CHECKING:
    from sandbox.aws.workers.environment import Plan
    from sandbox.aws.workers.logs import WorkerLog

ENTRY = Path(__file__).with_name("entry.py")
INIT_SECONDS = 10.0  # what Lambda grants before it starts the init again within the invocation
LARGEST_EVENT = LARGEST_RESULT = 6 * 1024 * 1024 + 100  # bytes, both ways
LAST_BREATH = 2.0  # seconds for a process to end after it closed its output


@dataclass(frozen=True)
class Event:
    """One invocation: its payload and what the context says of it."""

    request_id: str
    payload: bytes
    trace_id: str = ""
    client_context: str = ""


@dataclass(frozen=True)
class Outcome:
    """What an invocation came to: a result, or an error in Lambda's shape."""

    payload: bytes
    is_error: bool = False
    peak_mb: int | None = None


@dataclass
class Worker:
    """A running process and its end of the Runtime API."""

    plan: Plan
    log: WorkerLog
    api: RuntimeApi = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    _is_new: bool = True
    _is_dead: bool = False

    def __post_init__(self) -> None:
        self.api = RuntimeApi(self.log.write)
        environ = {
            **self.plan.environ,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log.stream,
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-P", str(ENTRY), self.plan.runtime, self.plan.handler],
            env=environ,
            cwd=self.plan.task_root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe, just above
        self.api.watch(self.process.stdout)

    @property
    def is_alive(self) -> bool:
        """Whether it can take another invocation."""
        return not self._is_dead and self.process.poll() is None

    def invoke(self, event: Event) -> Outcome:
        """Carry out one invocation; whatever happens has a shape, nothing is raised."""
        try:
            outcome = self._carry_out(event)
        except TimeoutError:
            return self._timed_out(event)
        except (WorkerGoneError, OSError):
            return self._exited(event)
        self._is_new = False
        if len(outcome.payload) > LARGEST_RESULT:
            return _error("Function.ResponseSizeTooLarge", TOO_LARGE)
        return outcome

    def kill(self) -> None:
        """End the process and what it started; Lambda never asks a worker politely."""
        if self._is_dead:
            return
        self._is_dead = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.api.close()

    def _carry_out(self, event: Event) -> Outcome:
        seconds = self.plan.timeout
        patience = seconds + (INIT_SECONDS if self._is_new else 0)
        first = self._wish(time.monotonic() + patience)
        if first.path.endswith("/init/error"):
            first.accept()
            self.api.drain()
            self.kill()
            return Outcome(first.body, is_error=True)
        first.reply(200, self._headers(event), event.payload)
        result = self.api.request(time.monotonic() + seconds)
        result.accept()
        self.api.drain()
        return Outcome(result.body, result.path.endswith("/error"), self._peak_mb())

    def _wish(self, deadline: float) -> Request:
        """Wait for the worker to ask for work, or to say why it cannot."""
        while True:
            request = self.api.request(deadline)
            if request.path.endswith(("/invocation/next", "/init/error")):
                return request
            request.reply(404, {}, b"")

    def _timed_out(self, event: Event) -> Outcome:
        peak = self._peak_mb()
        self.kill()
        told = f"Task timed out after {self.plan.timeout:.2f} seconds"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.log.write(f"{stamp} {event.request_id} {told}\n".encode())
        error = _error("Sandbox.Timedout", f"RequestId: {event.request_id} Error: {told}")
        return replace(error, peak_mb=peak)

    def _exited(self, event: Event) -> Outcome:
        try:
            code = self.process.wait(LAST_BREATH)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self.kill()
        reason = f"Runtime exited with error: {_how(code)}" if code else SILENT
        return _error("Runtime.ExitError", f"RequestId: {event.request_id} Error: {reason}")

    def _headers(self, event: Event) -> dict[str, str]:
        deadline = int((time.time() + self.plan.timeout) * 1000)
        headers: dict[str, Any] = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": deadline,
            "Lambda-Runtime-Invoked-Function-Arn": self.plan.arn,
            "Lambda-Runtime-Trace-Id": event.trace_id,
            "Lambda-Runtime-Client-Context": event.client_context,
        }
        return {name: str(value) for name, value in headers.items() if value}

    def _peak_mb(self) -> int | None:
        """Return the most memory that the process had; Linux only."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return None
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) // 1024 if found else None


SILENT = "Runtime exited without providing a reason"
TOO_LARGE = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESULT} bytes)."


def _error(kind: str, message: str) -> Outcome:
    """Return an error that Lambda itself reports, not the function."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), is_error=True)


def _how(code: int) -> str:
    if code > 0:
        return f"exit status {code}"
    return f"signal: {signal.strsignal(-code) or -code}".lower()
