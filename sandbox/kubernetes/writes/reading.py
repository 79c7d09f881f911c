"""From a request's body to a document of its kind, or to the refusal that the real server gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import ApiError, Cause, bad_request, internal, invalid
from sandbox.kubernetes.kinds.decode import Decoded, decode
from sandbox.kubernetes.kinds.resource import split_api_version
from sandbox.kubernetes.ownership.problems import problems


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.writes.options import WriteOptions

Document = dict[str, Any]


def read_document(resource: Resource, body: Any, options: WriteOptions) -> Document:
    """Return the object of a create or replace; raise a 400, or a 422 for custom kinds."""
    _check_kind(resource, body)
    decoded = decode(resource.schema, body, resource.kind)
    # custom kinds are checked by their schema after decoding, core kinds by decoding itself
    if decoded.mistyped and resource.custom:
        causes = [problem.as_cause() for problem in decoded.mistyped]
        raise invalid(resource, _name(body), causes)
    if decoded.mistyped:
        raise _cannot_be_handled(resource, body, decoded.mistyped[0].as_go())
    strict = _strict_error(decoded, options)
    if strict:
        raise _cannot_be_handled(resource, body, strict)
    return _document(decoded)


def read_patched(resource: Resource, patched: Any, options: WriteOptions) -> Document:
    """Return the object that a patch made; raise a 422 that shows it."""
    _check_kind(resource, patched)
    decoded = decode(resource.schema, patched, resource.kind)
    if decoded.mistyped and resource.custom:
        causes = [problem.as_cause() for problem in decoded.mistyped]
        raise invalid(resource, _name(patched), causes)
    problem = decoded.mistyped[0].as_go() if decoded.mistyped else _strict_error(decoded, options)
    if problem:
        shown = json.dumps(patched, separators=(",", ":"))
        raise invalid(resource, "", [Cause.invalid("patch", shown, problem)], kind="")
    return _document(decoded)


def read_applied(resource: Resource, body: Any) -> Document:
    """Return an apply configuration; raise as structured-merge-diff does on what is no field."""
    if not isinstance(body, dict):
        raise bad_request("error decoding YAML: the configuration is not an object")
    _check_applied_version(resource, body)
    if _metadata(body).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    decoded = decode(resource.schema, body, resource.kind)
    found = problems(resource.schema, body, decoded)
    if found:
        raise internal(f"failed to create typed patch object ({_gvknn(body)}): {_told(found)}")
    return _document(decoded)


def _check_kind(resource: Resource, body: Any) -> None:
    if not isinstance(body, dict) or not body.get("kind") or not body.get("apiVersion"):
        raise bad_request("Object 'Kind' is missing in the request body")
    group, version = split_api_version(str(body["apiVersion"]))
    if (group, body["kind"]) != (resource.group, resource.kind):
        raise bad_request(
            f'{body["kind"]} in version "{version}" cannot be handled as a {resource.kind}: '
            f'no kind "{body["kind"]}" is registered for the internal version of group "{group}"'
        )
    if version not in resource.versions:
        raise bad_request(
            f"the API version in the data ({body['apiVersion']}) does not match the expected "
            f"API version ({resource.api_version})"
        )


def _check_applied_version(resource: Resource, body: Document) -> None:
    group, version = split_api_version(str(body.get("apiVersion", "")))
    if group != resource.group or version not in resource.versions:
        raise bad_request(
            "Incorrect version specified in apply patch. Specified patch version: "
            f"{body.get('apiVersion', '')}, expected: {resource.api_version}"
        )
    if body.get("kind") != resource.kind:
        raise bad_request(
            f"the kind in the data ({body.get('kind', '')}) does not match the expected kind "
            f"({resource.kind})"
        )


def _strict_error(decoded: Decoded, options: WriteOptions) -> str:
    """Return what strict decoding says of unknown fields; or warn, or say nothing."""
    told = [f'unknown field "{path}"' for path in decoded.unknown]
    if options.strictness == "Warn":
        options.warnings += told
    if options.strictness != "Strict" or not told:
        return ""
    return "strict decoding error: " + ", ".join(told)


def _cannot_be_handled(resource: Resource, body: Document, why: str) -> ApiError:
    _, version = split_api_version(body["apiVersion"])
    return bad_request(
        f'{resource.kind} in version "{version}" cannot be handled as a {resource.kind}: {why}'
    )


def _document(decoded: Decoded) -> Document:
    document: Document = decoded.value
    metadata = document.get("metadata") or {}
    # Go leaves these out when it writes the object again
    told = {k: v for k, v in metadata.items() if v not in ({}, [], "")}
    return {**document, "metadata": told}


def _name(body: Document) -> str:
    return str(_metadata(body).get("name", ""))


def _metadata(body: Document) -> Document:
    """Return the metadata of a body that nobody has checked yet."""
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _gvknn(body: Document) -> str:
    """Name an object as field managers do: `namespace/name; group/version, Kind=Kind`."""
    metadata = _metadata(body)
    group, version = split_api_version(body["apiVersion"])
    place = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    return f"{place}; {group}/{version}, Kind={body.get('kind', '')}"


def _told(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return "errors:\n" + "\n".join(f"  {problem}" for problem in problems)
