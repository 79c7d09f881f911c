"""JSON values on their way into and out of jsonata-python, which keeps null and undefined apart."""

from __future__ import annotations

import math
from typing import Any

from jsonata.utils import Utils


LARGEST_PLAIN_INTEGER = 1e21


class UnsupportedValueError(ValueError):
    """A result is a function, a regular expression or a number that JSON cannot carry."""


def with_nulls(value: Any) -> Any:
    """Return the value with None as the library's null; a part without any None is shared."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        changed = {k: with_nulls(v) for k, v in value.items()}
        return changed if any(changed[k] is not v for k, v in value.items()) else value
    if isinstance(value, list):
        items = [with_nulls(item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def plain(value: Any) -> Any:
    """Return a result as plain JSON, whole numbers as integers, as JavaScript writes them."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, Utils.RangeList):
        return list(range(value.a, value.b + 1))
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | int):
        return value
    raise UnsupportedValueError("returned an unsupported result type.")


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise UnsupportedValueError("D1001: Number out of range")
    return int(value) if value.is_integer() and abs(value) < LARGEST_PLAIN_INTEGER else value
