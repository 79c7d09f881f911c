"""Lists as tables: what `kubectl get` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from sandbox.kubernetes.kinds.resource import Column
from sandbox.kubernetes.wire.columns import CORE_COLUMNS, Since, age
from sandbox.kubernetes.wire.jsonpath import find


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]
Include = Literal["Metadata", "Object", "None"]

_PRINTED_WITH_TIME = frozenset({"ClusterRole", "CustomResourceDefinition", "Role"})
_AGE = Column("Age", ".metadata.creationTimestamp", "date")


def as_table(
    resource: Resource, documents: Sequence[Document], metadata: Document, include: str, now: float
) -> Document:
    """Return a Table of these objects; each row carries its metadata, the object, or nothing."""
    names, cells = _printer(resource, now)
    definitions = [_definition(name, priority) for name, priority in names]
    rows = [{"cells": cells(d), "object": _carried(d, include)} for d in documents]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _definition(name: str, priority: int) -> Document:
    return {
        "name": name,
        "type": "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": priority,
    }


def only_metadata(document: Document) -> Document:
    """Return an object as clients get it that follow metadata only."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": document["metadata"],
    }


def _carried(document: Document, include: str) -> Document | None:
    if include == "None":
        return None
    return document if include == "Object" else only_metadata(document)


def _printer(resource: Resource, now: float) -> tuple[list[tuple[str, int]], Any]:
    """Return the columns (name, priority) and what fills a row of cells."""
    # custom kinds print what their definition says, core kinds what is compiled into the server
    core = None if resource.custom else CORE_COLUMNS.get(resource.kind)
    if resource.kind in _PRINTED_WITH_TIME:
        return [("Name", 0), ("Created At", 0)], lambda d: [d["metadata"]["name"], _born(d)]
    if core:
        return (
            [("Name", 0), *((name, 0) for name in core[0]), ("Age", 0)],
            lambda d: [d["metadata"]["name"], *_shown(core[1](d), now), age(_born(d), now)],
        )
    columns = resource.columns or (_AGE,)
    return (
        [("Name", 0), *((c.name, c.priority) for c in columns)],
        lambda d: [d["metadata"]["name"], *(_cell(d, c, now) for c in columns)],
    )


def _shown(cells: list[Any], now: float) -> list[Any]:
    return [age(cell, now) if isinstance(cell, Since) else cell for cell in cells]


def _born(document: Document) -> str:
    return str(document["metadata"].get("creationTimestamp", ""))


def _cell(document: Document, column: Column, now: float) -> Any:
    found = find(document, column.path)
    if not found or found[0] is None:
        return None
    if column.type == "date":
        return age(str(found[0]), now)
    value = found[0]
    if column.type != "string" or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
