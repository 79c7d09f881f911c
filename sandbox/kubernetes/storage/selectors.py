"""Label and field selectors, as query strings carry them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.kubernetes.errors import bad_request


Document = dict[str, Any]
Matches = Callable[[Document], bool]
Requirement = Callable[[dict[str, str]], bool]

# commas inside `in (a,b)` do not separate requirements
_LABEL_PARTS = re.compile(r",(?![^(]*\))")
_SET_BASED = re.compile(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)")
_FIELD_PATHS = {
    "": ("metadata.name", "metadata.namespace"),
    "Secret": ("type",),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Pod": ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"),
    "Service": ("spec.clusterIP", "spec.type"),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "reason",
        "type",
    ),
}


def selector(labels: str, fields: str, kind: str) -> Matches:
    """Return the test for both selectors of a list; raise a 400 for what cannot be selected by."""
    requirements = [_requirement(part.strip()) for part in _LABEL_PARTS.split(labels) if part]
    terms = [_term(part.strip(), kind) for part in fields.split(",") if part]

    def matches(document: Document) -> bool:
        known = document["metadata"].get("labels") or {}
        return all(r(known) for r in requirements) and all(t(document) for t in terms)

    return matches


def _requirement(text: str) -> Requirement:
    """Return the test for one comma-separated part of a label selector."""
    by_set = _SET_BASED.fullmatch(text)
    if by_set:
        key, word, listed = by_set.groups()
        values = {value.strip() for value in listed.split(",")}
        if word == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    for sign in ("!=", "==", "="):
        key, found, value = (side.strip() for side in text.partition(sign))
        if found:
            differs = sign == "!="
            return lambda labels: (labels.get(key) == value) != differs
    if not re.fullmatch(r"!?\s*[\w./-]+", text):
        raise bad_request(f'unable to parse requirement: found "{text}"')
    wanted = not text.startswith("!")
    key = text.lstrip("! ")
    return lambda labels: (key in labels) == wanted


def _term(text: str, kind: str) -> Matches:
    """Return the test for one part of a field selector."""
    sign = next((sign for sign in ("!=", "==") if sign in text), "=")
    path, _, value = text.partition(sign)
    if path not in (*_FIELD_PATHS[""], *_FIELD_PATHS.get(kind, ())):
        raise bad_request(f"field label not supported: {path}")
    steps = path.split(".")
    return lambda document: (_at(document, steps) == value) != (sign == "!=")


def _at(document: Document, steps: list[str]) -> str:
    value: Any = document
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def single_name(fields: str) -> str:
    """Return the name that a field selector pins, as access rules by name need; or ""."""
    for part in fields.split(","):
        path, _, value = part.partition("=")
        if path.strip() == "metadata.name":
            return value.lstrip("=").strip()
    return ""


def matches_label_selector(wanted: dict[str, Any], labels: dict[str, str]) -> bool:
    """Say whether labels satisfy a LabelSelector object (matchLabels, matchExpressions)."""
    parts = [f"{k}={v}" for k, v in (wanted.get("matchLabels") or {}).items()]
    parts += [_expression(e) for e in wanted.get("matchExpressions") or ()]
    return all(_requirement(part)(labels) for part in parts)


def _expression(expression: dict[str, Any]) -> str:
    key, values = expression["key"], ",".join(expression.get("values") or ())
    forms = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": f"{key}",
        "DoesNotExist": f"!{key}",
    }
    return forms[expression["operator"]]
