"""`python -m sandbox.world`: the world outside AWS as a child process that talks in JSON lines.

It reads one line (see `sandbox.world.settings`), prints `{"event": "progress", "text"}` and then
`{"event": "ready", …}`, and ends when its standard input does: whoever started it may be killed at
any moment, and nothing outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from typing import IO, Any

from sandbox.world.composition import World
from sandbox.world.description import describe
from sandbox.world.settings import Settings


def main() -> None:
    """Start, and wait for the end of input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor ends us by closing our input
    answers = _own_output()
    line = sys.stdin.readline()
    status = asyncio.run(_run(line, answers)) if line else 0
    sys.stderr.flush()
    os._exit(status)  # a thread may still wait for input


def _own_output() -> IO[str]:
    """Return standard output, and let whatever else prints do so on standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


async def _run(line: str, answers: IO[str]) -> int:
    def say(event: str, **rest: Any) -> None:
        answers.write(json.dumps({"event": event, **rest}) + "\n")

    try:
        world = World(Settings.of(json.loads(line)), lambda text: say("progress", text=text))
    except (OSError, ValueError) as error:
        say("failed", text=str(error))
        return 1
    try:
        await world.start()
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor is told
        traceback.print_exc()
        say("failed", text=f"{type(error).__name__}: {error}")
        await world.stop()
        return 1
    say("ready", **describe(world))
    await _end_of_input()
    await world.stop()
    return 0


async def _end_of_input() -> None:
    """Wait until standard input ends, or somebody asks us to stop."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)

    def read() -> None:
        sys.stdin.read()
        with contextlib.suppress(RuntimeError):  # the loop has ended by SIGTERM
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=read, daemon=True).start()
    await done.wait()


if __name__ == "__main__":
    main()
