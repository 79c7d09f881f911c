"""Where the output of workers goes: CloudWatch Logs, as on AWS, and a file for people to follow."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.aws.workers.environment import Plan

TAIL = 4096  # bytes of the log that an invocation may return
KEPT_EVENTS = 5000  # per stream: the sandbox may run for weeks


@dataclass
class LogSink:
    """Takes finished lines; `logs` is moto's CloudWatch Logs backend, `file` gets JSON lines."""

    logs: Any
    file: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, group: str, stream: str, lines: list[tuple[float, str]]) -> None:
        """Store lines with their times in epoch seconds."""
        events = [{"timestamp": int(at * 1000), "message": text} for at, text in lines]
        with self._lock:
            self.logs.ensure_log_group(group)
            streams = self.logs.groups[group].streams
            if stream not in streams:
                self.logs.create_log_stream(group, stream)
            self.logs.put_log_events(group, stream, events)
            del streams[stream].events[:-KEPT_EVENTS]
            if self.file:
                self._append(group, lines)

    def _append(self, group: str, lines: list[tuple[float, str]]) -> None:
        assert self.file is not None  # noqa: S101 - the caller looked
        with self.file.open("a") as target:
            target.writelines(
                json.dumps({"at": at, "group": group, "line": text}) + "\n" for at, text in lines
            )


@dataclass
class WorkerLog:
    """What one worker prints, with the lines that Lambda itself adds around each invocation."""

    sink: LogSink
    plan: Plan
    stream: str
    _rest: bytes = b""
    _lines: list[tuple[float, str]] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        """Take output as it comes; a traceback's carriage returns keep it one event."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        now = time.time()
        self._lines += [(now, line.decode(errors="replace")) for line in lines]

    def start(self, request_id: str) -> None:
        """Note that an invocation begins."""
        self._platform(
            f"START RequestId: {request_id} Version: $LATEST",
            {"type": "platform.start", "record": {"requestId": request_id, "version": "$LATEST"}},
        )

    def finish(self, request_id: str, seconds: float, peak_mb: int | None) -> bytes:
        """Note that it ended, store what it printed, and return the last 4 KB of it."""
        milliseconds = round(seconds * 1000, 2)
        metrics = {"durationMs": milliseconds, "memorySizeMB": self.plan.memory_size}
        report = f"Duration: {milliseconds} ms\tMemory Size: {self.plan.memory_size} MB"
        if peak_mb is not None:
            metrics["maxMemoryUsedMB"] = peak_mb
            report += f"\tMax Memory Used: {peak_mb} MB"
        if self._rest:
            self.write(b"\n")
        self._platform(
            f"REPORT RequestId: {request_id}\t{report}",
            {"type": "platform.report", "record": {"requestId": request_id, "metrics": metrics}},
        )
        lines, self._lines = self._lines, []
        self.sink.write(self.plan.log_group, self.stream, lines)
        return "\n".join(text for _, text in lines).encode()[-TAIL:]

    def _platform(self, text: str, record: dict[str, Any]) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        is_json = self.plan.log_format == "JSON"
        self._lines.append((now, json.dumps({"time": stamp, **record}) if is_json else text))
