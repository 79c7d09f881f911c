"""The command's entry: find the module of the command, turn problems into a line and a code."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from cli.arguments import parser
from cli.problems import Problem


if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code. Only the command's own module is imported."""
    options = parser().parse_args(arguments)
    command = importlib.import_module(f"cli.commands.{options.command.replace('-', '_')}")
    try:
        code: int = command.run(options)
    except Problem as problem:
        sys.stderr.write(f"tailkeeper: {problem}\n")
        return problem.code
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
