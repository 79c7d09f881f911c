"""Request bodies and query options, from bytes to what a write needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.kubernetes.errors import (
    ApiError,
    Cause,
    bad_request,
    internal,
    unsupported_media_type,
)
from sandbox.kubernetes.patches.json import PatchFailed, json_patch
from sandbox.kubernetes.patches.merge import merge_patch
from sandbox.kubernetes.patches.strategic import strategic_patch
from sandbox.kubernetes.storage.documents import parse_yaml
from sandbox.kubernetes.wire.protobuf import MEDIA_TYPE, decode_protobuf
from sandbox.kubernetes.writes.options import (
    PROPAGATION,
    STRICTNESS,
    DeleteOptions,
    WriteOptions,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_PLAIN = ("application/json", "application/yaml")


async def read_body(request: web.Request) -> Any:
    """Return a request's JSON, YAML or known protobuf body; raise a 400 or 415."""
    data = await request.read()
    if request.content_type == MEDIA_TYPE:
        return _decoded_protobuf(data)
    if not data:
        return {}
    if "yaml" in request.content_type:
        return _parsed(data, parse_yaml)
    if "json" in request.content_type or request.content_type == "application/octet-stream":
        return _parsed(data, json.loads)
    raise unsupported_media_type(_PLAIN)


def _decoded_protobuf(data: bytes) -> Document:
    try:
        return decode_protobuf(data)
    except (IndexError, UnicodeDecodeError, AttributeError) as error:
        raise bad_request(f"unable to decode the protobuf body: {error}") from None


def _parsed(data: bytes, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(data)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding the body: {error}") from None


def accepted_patches(resource: Resource) -> list[str]:
    """Return the patch content types of a kind: custom ones have no strategic merge."""
    strategic = [] if resource.custom else [STRATEGIC_PATCH]
    return [JSON_PATCH, MERGE_PATCH, *strategic, APPLY]


def patcher(resource: Resource, content_type: str, body: Any) -> Callable[[Document], Any]:
    """Return what a patch makes of an object; raise a 415 for a type the kind does not take."""
    if content_type not in accepted_patches(resource):
        raise unsupported_media_type(accepted_patches(resource))
    if content_type == JSON_PATCH:
        return lambda document: _json_patched(document, body)
    if not isinstance(body, dict):
        raise bad_request("error decoding patch: the patch is not an object")
    if content_type == MERGE_PATCH:
        return lambda document: merge_patch(document, body)
    return lambda document: strategic_patch(resource.schema, document, body)


def _json_patched(document: Document, body: Any) -> Any:
    if not isinstance(body, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    try:
        return json_patch(document, body)
    except PatchFailed:
        message = "the server rejected our request due to an error in our request"
        raise ApiError(422, "Invalid", message, {}) from None


def write_options(request: web.Request, subresource: str = "") -> WriteOptions:
    """Return a write's query parameters; the manager's name falls back to the user agent."""
    query, agent = request.query, request.headers.get("User-Agent", "unknown")
    strictness = query.get("fieldValidation") or "Warn"
    if strictness not in STRICTNESS:
        raise _invalid_options(Cause.unsupported("fieldValidation", strictness, STRICTNESS))
    return WriteOptions(
        manager=query.get("fieldManager") or agent.partition("/")[0][:128],
        dry_run=_dry_run(query.getall("dryRun", [])),
        strictness=strictness,
        force=query.get("force") == "true",
        subresource=subresource,
    )


def check_apply_options(query: Mapping[str, str], content_type: str) -> None:
    """Refuse an apply without a manager, and `force` on any other patch (422)."""
    if content_type == APPLY and not query.get("fieldManager"):
        raise _invalid_options(Cause.required("fieldManager", "is required for apply patch"))
    if content_type != APPLY and query.get("force"):
        told = "may not be specified for non-apply patch"
        raise _invalid_options(Cause.forbidden("force", told))


def _dry_run(values: list[str]) -> bool:
    for value in values:
        if value != "All":
            raise _invalid_options(Cause.unsupported("dryRun", values, ["All"]))
    return bool(values)


def _invalid_options(cause: Cause) -> ApiError:
    message = f'PatchOptions.meta.k8s.io "" is invalid: {cause.field}: {cause.message}'
    details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause.as_json()]}
    return ApiError(422, "Invalid", message, details)


async def delete_options(request: web.Request) -> DeleteOptions:
    """Return a delete's options, from its body and its query."""
    body = await read_body(request) if request.content_type != MEDIA_TYPE else {}
    conditions = body.get("preconditions") or {}
    propagation = body.get("propagationPolicy") or request.query.get("propagationPolicy")
    if propagation and propagation not in PROPAGATION:
        raise internal(f"invalid propagationPolicy {propagation}")
    return DeleteOptions(
        dry_run=_dry_run((body.get("dryRun") or []) + request.query.getall("dryRun", [])),
        propagation=propagation or "Background",
        uid=conditions.get("uid", ""),
        resource_version=conditions.get("resourceVersion", ""),
    )
