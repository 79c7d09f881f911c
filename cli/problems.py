"""What ends a command with a sentence instead of a traceback."""

from __future__ import annotations


FAILED, USAGE = 1, 64


class Problem(Exception):
    """Something went wrong; the message says what, where and what to do about it."""

    code = FAILED


class Misuse(Problem):
    """The command was given something that it cannot use."""

    code = USAGE
