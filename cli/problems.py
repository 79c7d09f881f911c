"""What ends a command with a sentence instead of a traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pathlib import Path

FAILED, USAGE = 1, 64


class Problem(Exception):
    """Something went wrong; the message says what, where and what to do about it."""

    code = FAILED


class Misuse(Problem):
    """The command was given something that it cannot use."""

    code = USAGE


def writable(file: Path, option: str) -> None:
    """Raise Misuse unless a file can be written there: better now than after all the work."""
    place = file.resolve()
    around = next(folder for folder in (*place.parents, place) if folder.exists())
    if file.is_dir() or not around.is_dir() or not os.access(around, os.W_OK):
        raise Misuse(f"{option} {file}: cannot be written: name a place of yours")
