"""Warm workers, kept per function and given to one invocation at a time."""

from __future__ import annotations

import os
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.aws.workers.logs import LogSink, WorkerLog
from sandbox.aws.workers.worker import Event, Outcome, Worker


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.aws.workers.environment import Plan

MOST_WORKERS = max(4, 4 * (os.cpu_count() or 1))  # of one function; more invocations wait
MOST_IDLE = 4


class ThrottledError(Exception):
    """The function's reserved concurrency is used up."""


@dataclass
class _Lane:
    """One function's workers."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    idle: list[Worker] = field(default_factory=list)
    workers: int = 0
    in_flight: int = 0


@dataclass
class Pool:
    """All workers of the sandbox."""

    sink: LogSink
    most_workers: int = MOST_WORKERS
    _lanes: dict[str, _Lane] = field(default_factory=dict)
    _is_stopped: bool = False

    def invoke(self, plan: Plan, event: Event, reserved: int | None) -> tuple[Outcome, bytes]:
        """Run one invocation; return what it came to and the last of its log.

        Raise ThrottledError when `reserved` invocations run already.
        """
        lane = self._lanes.setdefault(plan.arn, _Lane())
        with self._slot(plan, lane, reserved):
            worker = self._worker(plan, lane)
            try:
                return _run(worker, event)
            finally:
                self._give_back(worker, lane)

    def stop(self) -> None:
        """End every idle worker; a busy one ends when it is given back."""
        self._is_stopped = True
        for lane in self._lanes.values():
            with lane.changed:
                idle, lane.idle = lane.idle, []
            for worker in idle:
                worker.kill()

    @contextmanager
    def _slot(self, plan: Plan, lane: _Lane, reserved: int | None) -> Iterator[None]:
        with lane.changed:
            if reserved is not None and lane.in_flight >= reserved:
                raise ThrottledError(plan.function_name)
            lane.in_flight += 1
        try:
            yield
        finally:
            with lane.changed:
                lane.in_flight -= 1

    def _worker(self, plan: Plan, lane: _Lane) -> Worker:
        """Take an idle worker, or start one; wait while the function has as many as it may."""
        with lane.changed:
            while True:
                worker = _idle(plan, lane)
                if worker:
                    return worker
                if lane.workers < self.most_workers:
                    break
                lane.changed.wait()
            lane.workers += 1
        try:
            return self._started(plan)
        except OSError:
            with lane.changed:
                lane.workers -= 1
            raise

    def _started(self, plan: Plan) -> Worker:
        day = time.strftime("%Y/%m/%d", time.gmtime())
        return Worker(plan, WorkerLog(self.sink, plan, f"{day}/[$LATEST]{uuid.uuid4().hex}"))

    def _give_back(self, worker: Worker, lane: _Lane) -> None:
        with lane.changed:
            keep = worker.is_alive and not self._is_stopped and len(lane.idle) < MOST_IDLE
            if keep:
                lane.idle.append(worker)
            else:
                lane.workers -= 1
            lane.changed.notify()
        if not keep:
            worker.kill()


def _idle(plan: Plan, lane: _Lane) -> Worker | None:
    """Take the worker used last that still fits; a changed configuration retires the others."""
    while lane.idle:
        worker = lane.idle.pop()
        if worker.plan == plan and worker.is_alive:
            return worker
        worker.kill()
        lane.workers -= 1
    return None


def _run(worker: Worker, event: Event) -> tuple[Outcome, bytes]:
    worker.log.start(event.request_id)
    began = time.monotonic()
    outcome = worker.invoke(event)
    seconds = time.monotonic() - began
    return outcome, worker.log.finish(event.request_id, seconds, outcome.peak_mb)
