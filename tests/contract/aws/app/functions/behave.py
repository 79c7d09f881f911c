"""A function that does as its event says."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import appcore  # type: ignore[import-not-found]  # the app's own layer


class ImpatienceError(Exception):
    """An error of the function's own."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do what `do` names."""
    return DEEDS[event["do"]](event, context)


def _describe(_: Any, context: Any) -> dict[str, Any]:
    return {
        "environ": dict(os.environ),
        "path": sys.path,
        "cwd": str(Path.cwd()),
        "pid": os.getpid(),
        "core": appcore.__file__,
        "request_id": context.aws_request_id,
        "function_name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "log_group": context.log_group_name,
        "log_stream": context.log_stream_name,
        "remaining": context.get_remaining_time_in_millis(),
    }


def _fail(event: Any, _: Any) -> None:
    raise ImpatienceError(event.get("message", "no time"))


def _kill(_: Any, __: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _sleep(event: Any, _: Any) -> int:
    time.sleep(event["seconds"])
    return os.getpid()


def _hold(event: Any, _: Any) -> None:
    """Tell in a file which process this is, then take long."""
    Path(event["file"]).write_text(str(os.getpid()))
    time.sleep(event["seconds"])


def _log(event: Any, _: Any) -> None:
    print(event["message"])
    logging.getLogger().warning(event["message"])


def _mark(event: Any, _: Any) -> None:
    """Leave a line in a file, then fail: so that a test can count the tries."""
    with Path(event["file"]).open("a") as target:
        target.write("x")
    raise ImpatienceError("marked")


DEEDS = {
    "return": lambda event, _: event.get("value"),
    "large": lambda event, _: "x" * event["bytes"],
    "bytes": lambda _, __: b"\x00\x01",
    "decimal": lambda _, __: {"n": Decimal("1.5")},
    "unserialisable": lambda _, __: {1, 2},
    "exit": lambda event, _: os._exit(event["code"]),
    "describe": _describe,
    "fail": _fail,
    "hold": _hold,
    "kill": _kill,
    "log": _log,
    "mark": _mark,
    "sleep": _sleep,
}
