"""The way back: configuration values as the JSON that reads back equal."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def document_of(value: Any) -> dict[str, Any]:
    """Return a dataclass as a mapping, without the fields that are None."""
    pairs = ((item.name, getattr(value, item.name)) for item in fields(value))
    return {name: _plain(content) for name, content in pairs if content is not None}


def _plain(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return value.as_json()
    if is_dataclass(value):
        return document_of(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
