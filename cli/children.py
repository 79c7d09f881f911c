"""The parts of the sandbox as child processes that talk in JSON lines.

A child reads one line, the request; it prints `{"event": "progress", "text"}` lines, then
`{"event": "ready", …}` or `{"event": "failed", "text"}`. It ends by itself when its input does, so
that nothing outlives this process, however it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from cli.problems import Problem


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

BOOT_SECONDS = 120.0
GRACE_SECONDS = 10.0
LAST_LINES = 12


class Child:
    """One part: `name` is what people call it, `log` takes what it prints besides its lines."""

    def __init__(self, name: str, module: str, log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self._start = errors.tell()
            # A session of its own: Ctrl-C in the terminal is for the supervisor alone.
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._lines: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process.poll() is None

    def request(self, document: Mapping[str, Any]) -> None:
        """Tell it what to be."""
        with suppress(BrokenPipeError):  # it has died; `ready` says so, and of what
            stream = _pipe(self._process.stdin)
            stream.write(json.dumps(document) + "\n")
            stream.flush()

    def ready(self, progress: Callable[[str], None]) -> dict[str, Any]:
        """Wait until it is ready; return what it says then. Raise Problem with its last lines."""
        deadline = monotonic() + BOOT_SECONDS
        while True:
            line = self._next(deadline)
            if line["event"] == "ready":
                return line
            if line["event"] == "failed":
                raise self._problem(f"{self.name} cannot start: {line['text']}")
            progress(f"{self.name}: {line['text']}")

    def stop(self) -> None:
        """Close its input and wait for its end; end it when it does not listen."""
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(GRACE_SECONDS)

    def ended(self) -> Problem:
        """Return the problem that it is not there any more."""
        return self._problem(f"{self.name} has ended by itself (exit {self._process.poll()})")

    def _next(self, deadline: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            raise self._problem(f"{self.name} is not ready after {BOOT_SECONDS:.0f} s") from None
        if line is None:
            raise self._problem(f"{self.name} ended before it was ready")
        return line

    def _read(self) -> None:
        with _pipe(self._process.stdout) as stream:
            for line in stream:
                try:
                    document = json.loads(line)
                except ValueError:  # something in it prints by itself
                    document = {"event": "progress", "text": line.rstrip()}
                self._lines.put(document)
        self._lines.put(None)

    def _problem(self, what: str) -> Problem:
        with self.log.open("rb") as stream:
            stream.seek(self._start)
            lines = stream.read().decode(errors="replace").splitlines()[-LAST_LINES:]
        told = "".join(f"\n    {line[:200]}" for line in lines)
        return Problem(f"{what}\n  its last lines, of {self.log}:{told}" if lines else what)


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("a child is always started with pipes")
    return stream
