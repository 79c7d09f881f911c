"""Moves objects from `kubectl apply` to `kubectl apply --server-side`, as the API server helps.

Only for the manager "kubectl": a conflict over a field whose value is still the one in the
last-applied annotation is no conflict, and the annotation follows what is applied.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.ownership.paths import NOTHING, Paths
from sandbox.kubernetes.ownership.typed import compare, field_paths


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.fields import Field
    from sandbox.kubernetes.ownership.fields import Conflict, OwnershipConflict

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"


def conflicts_that_stand(schema: Field, live: Any, error: OwnershipConflict) -> list[Conflict]:
    """Return the conflicts that client-side apply's own record does not excuse."""
    excused = _still_as_applied(schema, live)
    return [conflict for conflict in error.conflicts if conflict.path not in excused]


def _still_as_applied(schema: Field, live: Any) -> Paths:
    try:
        last = json.loads(_annotations(live).get(ANNOTATION) or "null")
    except ValueError:
        return NOTHING
    if not isinstance(last, dict) or last.get("apiVersion") != live.get("apiVersion"):
        return NOTHING
    comparison = compare(schema, last, live)
    return field_paths(schema, last) - comparison.written - comparison.removed


def following(document: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    """Return the object with its last-applied annotation, if it has one, brought up to date."""
    if ANNOTATION not in _annotations(document):
        return document
    text = json.dumps(applied, separators=(",", ":"), sort_keys=True) + "\n"
    annotations = {**_annotations(document), ANNOTATION: text}
    return {**document, "metadata": {**document["metadata"], "annotations": annotations}}


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    return document.get("metadata", {}).get("annotations") or {}
