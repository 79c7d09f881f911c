"""Invocations that nobody waits for: two more tries, then a destination or a dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sandbox.aws.workers.destinations import deliver, record
from sandbox.aws.workers.pool import ThrottledError
from sandbox.aws.workers.worker import Outcome


if TYPE_CHECKING:
    from collections.abc import Callable

DELAYS = (60.0, 120.0)  # seconds before the second and the third try
RETRIES = 2
OLDEST = 6 * 3600.0  # seconds
LONGEST_BACK_OFF = 300.0
AT_ONCE = 32


@dataclass(frozen=True, order=True)
class _Due:
    at: float
    number: int
    invocation: Invocation = field(compare=False)


@dataclass(frozen=True)
class Invocation:
    """One asynchronous invocation and how far it has come."""

    function: Any
    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.monotonic)
    tries: int = 0
    throttles: int = 0


@dataclass
class AsyncInvocations:
    """Carries them out in the background; waits are divided by `speed`."""

    run: Callable[..., tuple[Outcome, bytes]]
    speed: float = 1.0
    _due: list[_Due] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Any = field(default_factory=itertools.count)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))
    _is_stopped: bool = False

    def start(self) -> None:
        """Begin to watch the clock for retries."""
        threading.Thread(target=self._watch, name="lambda-retries", daemon=True).start()

    def stop(self) -> None:
        """Forget what is waiting."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Any, payload: bytes) -> None:
        """Take an invocation; it is carried out at least once."""
        self._threads.submit(self._try, Invocation(function, payload))

    def _try(self, invocation: Invocation) -> None:
        try:
            outcome, _ = self.run(
                invocation.function, invocation.payload, request_id=invocation.request_id
            )
        except ThrottledError:
            wait = min(2.0**invocation.throttles, LONGEST_BACK_OFF)
            self._later(replace(invocation, throttles=invocation.throttles + 1), wait)
            return
        done = replace(invocation, tries=invocation.tries + 1)
        if not outcome.is_error:
            self._end(done, outcome, "Success")
        elif done.tries > _setting(done.function, "MaximumRetryAttempts", RETRIES):
            self._end(done, outcome, "RetriesExhausted")
        else:
            self._later(done, DELAYS[done.tries - 1])

    def _later(self, invocation: Invocation, seconds: float) -> None:
        at = time.monotonic() + seconds / self.speed
        oldest = _setting(invocation.function, "MaximumEventAgeInSeconds", OLDEST) / self.speed
        if at - invocation.began > oldest:
            outcome = Outcome(b'{"errorMessage": "The event is too old."}', is_error=True)
            self._end(invocation, outcome, "EventAgeExceeded")
            return
        with self._changed:
            heapq.heappush(self._due, _Due(at, next(self._numbers), invocation))
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_stopped:
                now = time.monotonic()
                while self._due and self._due[0].at <= now:
                    self._threads.submit(self._try, heapq.heappop(self._due).invocation)
                self._changed.wait(self._due[0].at - now if self._due else None)

    def _end(self, invocation: Invocation, outcome: Outcome, condition: str) -> None:
        function = invocation.function
        wishes = _settings(function).get("DestinationConfig", {})
        wish = wishes.get("OnFailure" if outcome.is_error else "OnSuccess", {})
        target = wish.get("Destination")
        if target:
            arn, request_id = function.function_arn, invocation.request_id
            payload, tries = invocation.payload, invocation.tries
            told = record(arn, request_id, payload, outcome, condition=condition, tries=tries)
            deliver(target, function.region, told, outcome)
        queue = function.dead_letter_config.get("TargetArn")
        if queue and outcome.is_error:
            body = invocation.payload.decode()
            deliver(queue, function.region, body, outcome, invocation.request_id)


def _settings(function: Any) -> dict[str, Any]:
    configs = function.event_invoke_config
    return configs[-1].config if configs else {}


def _setting(function: Any, name: str, default: float) -> float:
    return float(_settings(function).get(name, default))
