"""Kinds from CustomResourceDefinition objects (apiextensions.k8s.io/v1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ABSENT, ANY, Field, FieldType, ListType
from sandbox.kubernetes.kinds.resource import Column, Resource


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Kinds

_TYPES: dict[str, FieldType] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
_LIST_TYPES: dict[str, ListType] = {"map": "map", "set": "set"}


def register_definition(kinds: Kinds, definition: dict[str, Any]) -> Resource:
    """Serve the kind that a CustomResourceDefinition describes, replacing what was known of it."""
    resource = from_definition(definition, kinds)
    # what a table or a loader guessed of this kind gives way to its definition
    known = kinds.resources.get(resource.key)
    if known:
        kinds.remove(known)
    return kinds.add(resource)


def from_definition(definition: dict[str, Any], kinds: Kinds) -> Resource:
    """Return the resource; its fields and columns are those of the storage version."""
    spec = definition["spec"]
    names = spec["names"]
    served = [v for v in spec["versions"] if v.get("served", True)]
    stored = next((v for v in spec["versions"] if v.get("storage")), spec["versions"][0])
    versions = sorted({v["name"] for v in served}, key=lambda name: name != stored["name"])
    schema = field_of((stored.get("schema") or {}).get("openAPIV3Schema") or {})
    return Resource(
        spec["group"],
        tuple(versions),
        names["kind"],
        names["plural"],
        spec["scope"] == "Namespaced",
        schema=with_identity(schema, kinds),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        columns=tuple(_column(c) for c in stored.get("additionalPrinterColumns") or ()),
        subresources=frozenset(stored.get("subresources") or {}),
        custom=True,
        counted=True,
    )


def field_of(schema: dict[str, Any]) -> Field:
    """Return the field that a structural OpenAPI v3 schema describes."""
    return replace(_shape(schema), default=schema.get("default", ABSENT))


def _shape(schema: dict[str, Any]) -> Field:
    if schema.get("x-kubernetes-int-or-string"):
        return Field("int-or-string")
    kind = schema.get("type", "")
    if kind in _TYPES:
        values = schema.get("enum", []) if kind == "string" else []
        return Field(_TYPES[kind], enum=tuple(values))
    if kind == "array":
        return Field(
            "list",
            item=field_of(schema.get("items") or {}),
            list_type=_LIST_TYPES.get(schema.get("x-kubernetes-list-type", ""), "atomic"),
            keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
        )
    return _object(schema) if kind == "object" else ANY


def _object(schema: dict[str, Any]) -> Field:
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    keeps_unknown = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    extra = schema.get("additionalProperties")
    if "properties" in schema:
        required = schema.get("required", [])
        children = {
            name: replace(field_of(child), required=name in required)
            for name, child in schema["properties"].items()
        }
        return Field("object", children, atomic=atomic, open=keeps_unknown or bool(extra))
    if isinstance(extra, dict) and extra:
        return Field("map", item=field_of(extra), atomic=atomic)
    return ANY if keeps_unknown or extra else Field("object", {}, atomic=atomic)


def with_identity(schema: Field, kinds: Kinds) -> Field:
    """Return a kind's root with the identity that every object has; ANY leaves the rest open."""
    secrets = kinds.of_kind("", "Secret")
    metadata = secrets.schema.children["metadata"] if secrets else ANY
    root = {**schema.children, "apiVersion": Field(), "kind": Field(), "metadata": metadata}
    return Field("object", root, open=schema.type == "any" or schema.open)


def _column(column: dict[str, Any]) -> Column:
    return Column(
        column["name"],
        column["jsonPath"],
        column.get("type", "string"),
        int(column.get("priority") or 0),
    )
