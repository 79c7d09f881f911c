"""Doors into the core: a case as JSON on standard input, its answer on standard output.

A list of cases is answered with the list of their answers.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

DONE, USAGE = 0, 64


def serve(answer: Callable[[Any], Any]) -> int:
    """Answer standard input; return the exit code, 64 where it is not as it should be."""
    try:
        said = answered(json.load(sys.stdin), answer)
    except json.JSONDecodeError as error:
        return _refused(f"standard input is no JSON: {error}")
    except RecursionError:
        return _refused("standard input is nested too deeply")
    except ValueError as error:
        return _refused(str(error))
    # In ASCII, whatever the locale is: a name may hold what no encoding has.
    json.dump(said, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
    return DONE


def answered(document: Any, answer: Callable[[Any], Any]) -> Any:
    """Answer one case, or each of a list; raise ValueError with all that is wrong with them."""
    if not isinstance(document, list):
        return answer(document)
    said, wrong = [], []
    for place, case in enumerate(document):
        try:
            said.append(answer(case))
        except ValueError as error:
            wrong += [f"[{place}] {line}" for line in str(error).splitlines()]
    if wrong:
        raise ValueError("\n".join(wrong))
    return said


def _refused(why: str) -> int:
    sys.stderr.write(f"{why}\nThe forms are described in docs/documents.md.\n")
    return USAGE
