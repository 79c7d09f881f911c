"""Whether a document has the shape of a Kubernetes object, where no API server has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS: dict[str, type] = {
    "hostnames": str,
    "parentRefs": dict,
    "listeners": dict,
    "ports": dict,
    "rules": dict,
    "tls": dict,
}


def flattened(value: Any) -> Iterator[Any]:
    """Yield the objects of a List, or the object itself."""
    items = value.get("items") if isinstance(value, Mapping) else None
    if isinstance(items, list) and str(value.get("kind")).endswith("List"):
        for item in items:
            yield from flattened(item)
    else:
        yield value


def misshapen(thing: Mapping[str, Any]) -> str:
    """Say in what an object is not one, or ""."""
    meta = thing.get("metadata")
    if not isinstance(meta, Mapping) or not isinstance(meta.get("name"), str):
        return "it has no metadata.name"
    if not isinstance(meta.get("namespace") or "", str):
        return "its namespace is not text"
    wrong = (_not_text(part, meta.get(part) or {}) for part in ("labels", "annotations"))
    return next(filter(None, wrong), "") or _wrong_spec(thing.get("spec") or {})


def _not_text(part: str, values: Any) -> str:
    if not isinstance(values, Mapping):
        return f"its {part} are no mapping"
    other = next((key for key, value in values.items() if not isinstance(value, str)), "")
    return f"its {part} say of {other} what is not text: put it in quotes" if other else ""


def _wrong_spec(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        return "its spec is no mapping"
    for part, kind in LISTS.items():
        values = spec.get(part) or []
        if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
            return f"its spec.{part} is no list of the right kind"
    return ""
