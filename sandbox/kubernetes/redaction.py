"""Request bodies as the log may show them: without what is in Secrets."""

from __future__ import annotations

import json
from typing import Any

import yaml

from sandbox.kubernetes.ownership.last_applied import ANNOTATION
from sandbox.kubernetes.storage.documents import parse_yaml
from sandbox.standin import REDACTED, redact


_SECRET_PARTS = ("data", "stringData")


def redacted_body(
    body: bytes, content_type: str, secret_names: frozenset[str], *, of_secret: bool
) -> Any:
    """Return a JSON or YAML body with its secrets replaced; other bodies by their size."""
    if not body:
        return None
    try:
        document = parse_yaml(body) if "yaml" in content_type else json.loads(body)
    except (ValueError, yaml.YAMLError):
        return f"({len(body)} bytes of {content_type})"
    return redact(_without_secrets(document, of_secret=of_secret), secret_names)


def _without_secrets(document: Any, *, of_secret: bool) -> Any:
    if isinstance(document, list):
        return [_without_value(item) if of_secret else item for item in document]
    if not isinstance(document, dict) or not (of_secret or document.get("kind") == "Secret"):
        return document
    shown = {k: REDACTED if k in _SECRET_PARTS and v else v for k, v in document.items()}
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    if ANNOTATION in annotations:
        hidden = {**annotations, ANNOTATION: REDACTED}
        shown["metadata"] = {**document["metadata"], "annotations": hidden}
    return shown


def _without_value(operation: Any) -> Any:
    """Hide what one operation of a JSON patch writes."""
    if isinstance(operation, dict) and "value" in operation:
        return {**operation, "value": REDACTED}
    return operation
