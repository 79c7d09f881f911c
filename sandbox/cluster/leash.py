"""Runs a command that must not outlive its parent: `python leash.py COMMAND…`.

The parent holds the other end of standard input. When that closes, even by `kill -9`, the command
is killed. Imports nothing of ours, so that it starts in a blink (`python -I -S`).
"""

import contextlib
import os
import subprocess
import sys
import threading


def main() -> int:
    """Run the command until it ends or standard input does; return its exit code."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        with contextlib.suppress(ProcessLookupError):
            child.kill()

    threading.Thread(target=watch, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    # no interpreter shutdown: the watching thread holds standard input
    os._exit(main() & 0xFF)
