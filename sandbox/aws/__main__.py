"""`python -m sandbox.aws`: the AWS side as a child process that talks in JSON lines.

It reads one line, `{"template", "parameters", "world", "worker_env", "speed"}`, prints progress and
then `{"event": "ready", …}`, and ends when its standard input does: whoever started it may be
killed at any moment, and nothing outlives it. Any further line says that the stack has only now
been made ready, with its secrets: the schedules count from then.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

from sandbox.aws.request import Request


if TYPE_CHECKING:
    from sandbox.aws.server import Server


def main() -> None:
    """Load while the request is still being made; start, and wait for the end of input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor ends us by closing our input
    answers = _own_output()
    loading = ThreadPoolExecutor(1).submit(_load, answers)
    line = sys.stdin.readline()
    status = _run(loading, json.loads(line), answers) if line else 0
    os._exit(status)  # threads may wait for workers, which end with us


def _own_output() -> IO[str]:
    """Return standard output, and let whatever else prints do so on standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def _load(answers: IO[str]) -> Server:
    gc.disable()
    from sandbox.aws.server import Server  # noqa: PLC0415 - two seconds of imports

    server = Server(lambda text: _say(answers, event="progress", text=text))
    server.load()
    gc.freeze()  # all of it stays: collections need not look at it again
    gc.enable()
    return server


def _run(loading: Future[Server], document: dict[str, Any], answers: IO[str]) -> int:
    try:
        request = Request.from_json(document)
        server = loading.result()
        server.start(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor is told
        traceback.print_exc()
        _say(answers, event="failed", text=f"{type(error).__name__}: {error}")
        return 1
    _say(answers, event="ready", **server.describe())
    for _ in sys.stdin:
        server.scheduler.count_anew()
    server.stop()
    return 0


def _say(answers: IO[str], **line: Any) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
