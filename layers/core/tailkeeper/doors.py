"""Doors into the core: a JSON document on standard input, its answer on standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

DONE, USAGE = 0, 64


def serve(answer: Callable[[Any], Any]) -> int:
    """Answer one document; return the exit code, 64 where the document is not as it should be."""
    try:
        said = answer(json.load(sys.stdin))
    except json.JSONDecodeError as error:
        return _refused(f"standard input is no JSON: {error}")
    except RecursionError:
        return _refused("standard input is nested too deeply")
    except ValueError as error:
        return _refused(str(error))
    json.dump(said, sys.stdout, separators=(",", ":"), ensure_ascii=False)
    sys.stdout.write("\n")
    return DONE


def _refused(why: str) -> int:
    sys.stderr.write(f"{why}\nThe forms are described in docs/documents.md.\n")
    return USAGE
