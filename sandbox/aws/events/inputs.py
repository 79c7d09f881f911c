"""What a target is sent: the event, a constant, a part of the event, or a filled-in template.

By the EventBridge user guide, "Amazon EventBridge input transformation".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
PLACEHOLDER = re.compile(r"<([^<>\s]+)>")


def input_of(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """Return the JSON text for a target of a rule; `rule` has its `arn` and `name`."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(look_up(event, target["InputPath"]))
    if target.get("InputTransformer"):
        return transform(target["InputTransformer"], event, rule)
    return json.dumps(event)


def look_up(document: Any, path: str) -> Any:
    """Return the value at a path like `$.detail.items[0].name`, or None."""
    for name, index, quoted in STEP.findall(path.removeprefix("$")):
        if index:
            found = document[int(index) :][:1] if isinstance(document, list) else []
            document = found[0] if found else None
        else:
            document = document.get(name or quoted) if isinstance(document, dict) else None
    return document


def transform(
    transformer: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]
) -> str:
    """Fill a template: a value stands as JSON where JSON is due, and as text inside a string."""
    values = {name: look_up(event, path) for name, path in _paths(transformer).items()}
    values |= {
        "aws.events.event": {k: v for k, v in event.items() if k != "detail"},
        "aws.events.event.json": dict(event),
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event.ingestion-time": event.get("time"),
    }
    template = str(transformer["InputTemplate"])
    spans = [found.span() for found in re.finditer(r'"(?:\\.|[^"\\])*"', template)]

    def fill(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        is_quoted = any(start < found.start() < end for start, end in spans)
        return _inside_string(value) if is_quoted else json.dumps(value)

    return PLACEHOLDER.sub(fill, template)


def _paths(transformer: Mapping[str, Any]) -> dict[str, str]:
    return dict(transformer.get("InputPathsMap") or {})


def _inside_string(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
