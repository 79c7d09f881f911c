"""JSON patch (RFC 6902), with the error texts that Kubernetes' library has."""

from __future__ import annotations

from copy import deepcopy
from typing import Any


class PatchFailed(ValueError):
    """An operation that cannot be carried out, or a test that does not hold."""


def json_patch(target: Any, operations: Any) -> Any:
    """Return the target after all operations; raise PatchFailed if one fails."""
    document = deepcopy(target)
    for operation in operations:
        try:
            document = _apply(document, operation)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise PatchFailed(str(error)) from error
    return document


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    kind, path = operation.get("op"), _steps(operation.get("path", ""))
    match kind:
        case "add":
            return _put(document, path, deepcopy(operation.get("value")), insert=True)
        case "replace":
            _read(document, path, "replace")
            return _put(document, path, deepcopy(operation.get("value")), insert=False)
        case "remove":
            return _take(document, path)
        case "move" | "copy":
            source = _steps(operation.get("from", ""))
            value = deepcopy(_read(document, source, kind))
            remaining = _take(document, source) if kind == "move" else document
            return _put(remaining, path, value, insert=True)
        case "test":
            if _read_or_none(document, path) != operation.get("value"):
                raise PatchFailed(f"testing value {operation.get('path')} failed: test failed")
            return document
    raise PatchFailed(f"Unexpected kind: {kind}")


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise PatchFailed(f"invalid JSON pointer: {pointer}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _read(document: Any, steps: list[str], kind: str) -> Any:
    for step in steps:
        try:
            document = document[_index(document, step)]
        except (KeyError, IndexError, TypeError, ValueError):
            pointer = "/" + "/".join(steps)
            raise PatchFailed(
                f"{kind} operation does not apply: doc is missing path: {pointer}: missing value"
            ) from None
    return document


def _read_or_none(document: Any, steps: list[str]) -> Any:
    try:
        return _read(document, steps, "test")
    except PatchFailed:
        return None


def _index(container: Any, step: str) -> Any:
    return int(step) if isinstance(container, list) else step


def _put(document: Any, steps: list[str], value: Any, *, insert: bool) -> Any:
    if not steps:
        return value
    parent = _read(document, steps[:-1], "add")
    last = steps[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif insert:
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        parent[int(last)] = value
    return document


def _take(document: Any, steps: list[str]) -> Any:
    _read(document, steps, "remove")
    parent = _read(document, steps[:-1], "remove")
    del parent[_index(parent, steps[-1])]
    return document
