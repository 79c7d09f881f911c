"""JSON documents: copies, several times faster than `copy.deepcopy`, and YAML read quickly."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

import yaml


JSON = TypeVar("JSON")


def copied(value: JSON) -> JSON:
    """Return a deep copy of a JSON value."""
    return cast("JSON", _copied(value))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def parse_yaml(data: bytes) -> Any:
    """Return what YAML says; raise ValueError or yaml.YAMLError."""
    if data.lstrip().startswith(b"{"):
        # clients send applies as JSON, which PyYAML reads a hundred times slower
        try:
            return json.loads(data)
        except ValueError:
            pass
    return yaml.safe_load(data)
