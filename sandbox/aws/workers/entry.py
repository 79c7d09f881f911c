"""The first code of a worker process: it ends with its parent, then becomes the Lambda runtime.

Run as `python -S -P entry.py awslambdaric|python HANDLER`, with standard input held open by the
parent. It imports nothing of the project, so that a function sees only what is its own.
"""

from __future__ import annotations

import _thread
import os
import runpy
import signal
import sys


def _end_with_parent(pipe: int) -> None:
    """Wait for the parent to go, even by `kill -9`, which closes its end; take children along."""
    os.read(pipe, 1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Become the runtime that the parent asked for."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _thread.start_new_thread(_end_with_parent, (pipe,))
    runtime = sys.argv.pop(1)
    if runtime == "awslambdaric":
        runpy.run_module("awslambdaric", run_name="__main__")
    else:
        here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - no pathlib here
        runpy.run_path(os.path.join(here, "bootstrap.py"), run_name="__main__")  # noqa: PTH118


if __name__ == "__main__":
    main()
