"""OpenAPI, as much as kubectl needs to apply: paths that take `fieldValidation`.

The schemas are empty, so `kubectl explain` has nothing to say; kubectl merges core kinds by the
schemas it carries itself. Version 2 is an empty document, which kubectl reads as protobuf when it
meets a `List`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Kinds, Resource

Document = dict[str, Any]

_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force")
]


def answer(kinds: Kinds, path: str) -> Document | web.Response | None:
    """Return what is at `/openapi/PATH`; None when nothing is."""
    if path == "v2":
        # no bytes are a document without paths
        media_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        return web.Response(body=b"", content_type=media_type)
    if path == "v3":
        return _index(kinds)
    return _document(kinds, path.removeprefix("v3/")) if path.startswith("v3/") else None


def _index(kinds: Kinds) -> Document:
    """Tell where each group's and version's document is."""
    paths = {_root(r.group, version) for r in kinds for version in r.versions}
    return {"paths": {path: {"serverRelativeURL": _address(path, kinds)} for path in sorted(paths)}}


def _address(path: str, kinds: Kinds) -> str:
    served = sorted(r.plural for r in kinds if path in {_root(r.group, v) for v in r.versions})
    # kubectl caches a document by this hash: it must change with the kinds
    stamp = hashlib.sha256(" ".join(served).encode()).hexdigest()[:16]
    return f"/openapi/v3/{path}?hash={stamp.upper()}"


def _root(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _document(kinds: Kinds, root: str) -> Document | None:
    """Describe `api/VERSION` or `apis/GROUP/VERSION`."""
    found = [(r, v) for r in kinds for v in r.versions if _root(r.group, v) == root]
    if not found:
        return None
    paths = {f"/{root}{_path(resource)}": _operations(resource, v) for resource, v in found}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.1"},
        "paths": paths,
        "components": {"schemas": {}},
    }


def _path(resource: Resource) -> str:
    place = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"{place}/{resource.plural}/{{name}}"


def _operations(resource: Resource, version: str) -> Document:
    kind = {"group": resource.group, "version": version, "kind": resource.kind}
    operation = {
        "parameters": _PARAMETERS,
        "x-kubernetes-group-version-kind": kind,
        "responses": {"200": {"description": "OK"}},
    }
    return {
        "patch": {**operation, "x-kubernetes-action": "patch"},
        "put": {**operation, "x-kubernetes-action": "put"},
    }
