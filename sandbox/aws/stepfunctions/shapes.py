"""Between the words of ASL and those of an AWS API, by botocore's shapes.

Step Functions writes parameters and results in PascalCase, times in ISO 8601 with milliseconds,
and bodies as text; it refuses a parameter of another type than the API's ("must be a STRING").
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody


class ParameterError(ValueError):
    """A parameter that Step Functions would not send."""


TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a STRING"),
    "integer": ((int,), "a NUMBER"),
    "long": ((int,), "a NUMBER"),
    "float": ((int, float), "a NUMBER"),
    "double": ((int, float), "a NUMBER"),
    "boolean": ((bool,), "a BOOLEAN"),
    "structure": ((dict,), "an OBJECT"),
    "map": ((dict,), "an OBJECT"),
    "list": ((list,), "an ARRAY"),
}


def to_request(value: Any, shape: Shape | None, field: str = "Parameters") -> Any:
    """Return `value` in the API's own words; raise ParameterError for a wrong name or type."""
    if shape is None or value is None:
        return value
    _check_type(value, shape, field)
    if isinstance(shape, StructureShape):
        return _structure_to_request(value, shape)
    if isinstance(shape, ListShape):
        return [to_request(item, shape.member, field) for item in value]
    if isinstance(shape, MapShape):
        return {k: to_request(v, shape.value, k) for k, v in value.items()}
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return json.dumps(value, separators=(",", ":")).encode()
    return value


def _check_type(value: Any, shape: Shape, field: str) -> None:
    wanted, name = TYPES.get(shape.type_name, ((object,), ""))
    wrong_boolean = isinstance(value, bool) and name == "a NUMBER"
    if wrong_boolean or not isinstance(value, wanted):
        raise ParameterError(f"The value for the field '{field}' must be {name}")


def _structure_to_request(value: dict[str, Any], shape: StructureShape) -> dict[str, Any]:
    members = {name.lower(): name for name in shape.members}
    request = {}
    for key, part in value.items():
        name = members.get(key.lower())
        if name is None:
            raise ParameterError(f"The field '{key}' is not supported by Step Functions")
        request[name] = to_request(part, shape.members[name], key)
    return request


def from_response(value: Any, shape: Shape | None) -> Any:
    """Return an API's answer as Step Functions hands it on: PascalCase, text, ISO times."""
    if isinstance(value, StreamingBody):
        value = value.read()
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {pascal(k): from_response(v, shape.members.get(k)) for k, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_response(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {k: _map_value(v, shape.value) for k, v in value.items()}
    return value


def _map_value(value: Any, shape: Shape) -> Any:
    """Leave a DynamoDB attribute's type letters as they are: BOOL is not Bool."""
    return value if shape.name == "AttributeValue" else from_response(value, shape)


def pascal(name: str) -> str:
    """Return a member's name as AWS writes it in results: ARN is Arn, startDate StartDate."""
    words = re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).split("_")
    return "".join(word.title() for word in words)


def iso(moment: datetime) -> str:
    """Return a time in UTC as AWS writes it: `2026-01-02T03:04:05.678Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()
