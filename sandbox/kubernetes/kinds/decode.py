"""Fits a document to its kind's fields: what is unknown, mistyped, missing or not allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.kubernetes.errors import Cause
from sandbox.kubernetes.kinds.fields import ABSENT, Field


_GO_TYPES = {
    "string": "string",
    "integer": "int32",
    "number": "float64",
    "boolean": "bool",
    "map": "map[string]string",
    "int-or-string": "intstr.IntOrString",
}
_PYTHON_TYPES = {
    "any": object,
    "object": dict,
    "map": dict,
    "list": list,
    "boolean": bool,
    "string": str,
}
_SCHEMA_TYPES = {"list": "array", "map": "object", "bool": "boolean", "number": "integer"}


@dataclass(frozen=True)
class Mistyped:
    """A value of the wrong JSON type; `owner` is the type whose field `place` is.

    `place` is the path without the keys of maps: to Go those are values, not fields.
    """

    path: str
    place: str
    value: Any
    wanted: Field
    owner: str

    def as_go(self) -> str:
        """Say it as Go's JSON decoder does, which reads the core kinds."""
        wanted = _GO_TYPES.get(self.wanted.type, f"v1.{self.wanted.name or self.wanted.type}")
        dotted = ".".join(part.partition("[")[0] for part in self.place.split("."))
        return (
            f"json: cannot unmarshal {json_type(self.value)} into Go struct field "
            f"{self.owner}.{dotted} of type {wanted}"
        )

    def as_cause(self) -> Cause:
        """Say it as the OpenAPI validator does, which reads custom kinds."""
        wanted = _SCHEMA_TYPES.get(self.wanted.type, self.wanted.type)
        got = json_type(self.value)
        got = _SCHEMA_TYPES.get(got, got)
        detail = f'{self.path} in body must be of type {wanted}: "{got}"'
        return Cause.invalid(self.path, got, detail)


@dataclass
class Decoded:
    """A document with unknown fields and nulls taken out, and what was wrong with it."""

    value: Any = None
    unknown: list[str] = field(default_factory=list)
    mistyped: list[Mistyped] = field(default_factory=list)


def decode(schema: Field, document: dict[str, Any], kind: str) -> Decoded:
    """Return the document as this kind understands it; the given one is left as it was."""
    decoded = Decoded()
    decoded.value = _fit(schema, document, _Place(owner=kind), decoded)
    return decoded


@dataclass(frozen=True)
class _Place:
    """Where in a document we are: its path, the path Go names, and the type it is a field of."""

    path: str = ""
    place: str = ""
    owner: str = ""

    def at(self, index: int) -> _Place:
        return _Place(f"{self.path}[{index}]", f"{self.place}[{index}]", self.owner)

    def member(self, name: str, schema: Field) -> _Place:
        place = self.place if schema.type == "map" else _join(self.place, name)
        return _Place(_join(self.path, name), place, schema.name or self.owner)


def _fit(schema: Field, value: Any, here: _Place, found: Decoded) -> Any:
    if not _is_of(schema, value):
        found.mistyped.append(Mistyped(here.path, here.place, value, schema, here.owner))
        return value
    if schema.type == "any":
        return value
    if isinstance(value, dict):
        return _fit_members(schema, value, here, found)
    if isinstance(value, list):
        return [_fit(schema.entry, v, here.at(i), found) for i, v in enumerate(value)]
    return value


def _fit_members(
    schema: Field, value: dict[str, Any], here: _Place, found: Decoded
) -> dict[str, Any]:
    fitted = {}
    for name, member in value.items():
        known, inner = schema.child(name), here.member(name, schema)
        if known is None:
            found.unknown.append(inner.path)
        elif member is not None:
            fitted[name] = _fit(known, member, inner, found)
    return fitted


def _is_of(schema: Field, value: Any) -> bool:
    if schema.type == "int-or-string":
        return isinstance(value, str) or _is_integer(value)
    if schema.type == "integer":
        return _is_integer(value)
    if schema.type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[schema.type])


def _is_integer(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def json_type(value: Any) -> str:
    """Name a value's JSON type as Go does."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
        case list():
            return "array"
    return "null"


def with_defaults(schema: Field, value: Any) -> Any:
    """Return the value with the defaults of its fields filled in."""
    if isinstance(value, dict) and schema.type in {"object", "map"}:
        filled = {k: with_defaults(schema.child(k) or schema, v) for k, v in value.items()}
        for name, child in schema.children.items():
            if name not in filled and child.default is not ABSENT:
                filled[name] = with_defaults(child, child.default)
        return filled
    if isinstance(value, list):
        return [with_defaults(schema.entry, entry) for entry in value]
    return value


def shortcomings(schema: Field, value: Any, path: str = "") -> list[Cause]:
    """Return a cause for each required field that is missing and each value not allowed."""
    if isinstance(value, list):
        return [
            cause
            for index, entry in enumerate(value)
            for cause in shortcomings(schema.entry, entry, f"{path}[{index}]")
        ]
    if isinstance(value, dict) and schema.type in {"object", "map"}:
        return _missing(schema, value, path) + [
            cause
            for name, member in value.items()
            for cause in shortcomings(schema.child(name) or schema, member, _join(path, name))
        ]
    if schema.enum and value not in schema.enum:
        return [Cause.unsupported(path, value, schema.enum)]
    return []


def _missing(schema: Field, value: dict[str, Any], path: str) -> list[Cause]:
    return [
        Cause.required(_join(path, name))
        for name, child in schema.children.items()
        if child.required and name not in value
    ]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
