"""Copies of JSON documents, several times faster than `copy.deepcopy`."""

from __future__ import annotations

from typing import Any, TypeVar, cast


JSON = TypeVar("JSON")


def copied(value: JSON) -> JSON:
    """Return a deep copy of a JSON value."""
    return cast("JSON", _copied(value))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
