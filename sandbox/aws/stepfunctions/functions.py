"""The functions that AWS adds to JSONata, and the one that it takes away.

By the Step Functions developer guide, "Transforming data with JSONata": `$partition`, `$range`,
`$hash`, `$random`, `$uuid` and `$parse`; `$eval` is refused.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from typing import TYPE_CHECKING, Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from sandbox.aws.stepfunctions.values import with_nulls


if TYPE_CHECKING:
    from collections.abc import Callable


ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256"} | {
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


class RefusedError(JException):  # type: ignore[misc]  # jsonata-python ships no types
    """A function was called with what AWS does not accept."""

    def __init__(self, message: str) -> None:
        super().__init__("D3137", 0, message)


def partition(items: Any = None, size: Any = None) -> list[Any] | None:
    """Split an array into chunks of `size`; the last one may be shorter."""
    if items is None:
        return None
    if not isinstance(items, list) or not isinstance(size, int) or size < 1:
        raise RefusedError("$partition wants an array and a positive integer")
    return [items[start : start + size] for start in range(0, len(items), size)]


def number_range(first: Any = None, last: Any = None, step: Any = None) -> list[Any]:
    """Return the numbers from `first` to `last`, both included, by `step`."""
    if not all(isinstance(n, int | float) for n in (first, last, step)) or step == 0:
        raise RefusedError("$range wants a first and a last number and a step that is not 0")
    return [first + index * step for index in range(max(0, int((last - first) / step) + 1))]


def digest(data: Any = None, algorithm: Any = None) -> str | None:
    """Return the hexadecimal hash of a string, by one of AWS's algorithm names."""
    if data is None:
        return None
    if not isinstance(data, str) or algorithm not in ALGORITHMS:
        raise RefusedError(f"$hash wants a string and one of {', '.join(ALGORITHMS)}")
    return hashlib.new(ALGORITHMS[algorithm], data.encode()).hexdigest()


def random_number(seed: Any = None) -> float:
    """Return a number from 0 to 1, always the same one for a seed."""
    return random.Random(seed).random()


def parse(text: Any = None) -> Any:
    """Read JSON text."""
    if text is None:
        return None
    try:
        return with_nulls(json.loads(text))
    except (TypeError, ValueError) as error:
        raise RefusedError(f"$parse wants JSON text: {error}") from error


def refuse_eval(*_: Any) -> Any:
    """Refuse `$eval`, which AWS leaves out."""
    raise RefusedError("$eval is not supported by Step Functions; $parse reads JSON text")


IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "partition": partition,
    "range": number_range,
    "hash": digest,
    "random": random_number,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": parse,
    "eval": refuse_eval,
}
BINDINGS: dict[str, Any] = {name: Jsonata.JLambda(f) for name, f in IMPLEMENTATIONS.items()}
