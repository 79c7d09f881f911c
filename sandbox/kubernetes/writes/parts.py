"""Which part of an object a write may reach, and whether it changed anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import conflict, must_have_version
from sandbox.kubernetes.ownership import managers


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.ownership.managers import Managed
    from sandbox.kubernetes.writes.options import WriteOptions

Document = dict[str, Any]


def in_version(document: Document, api_version: str) -> Document:
    """Return the object as this version shows it; versions differ in name only."""
    if document["apiVersion"] == api_version:
        return document
    return {**document, "apiVersion": api_version}


def bare(resource: Resource, document: Document) -> Document:
    """Return what a new object is compared with: core kinds are born with empty parts."""
    empty: Document = {"apiVersion": document["apiVersion"], "kind": document["kind"]}
    if not resource.custom:
        parts = ("metadata", "spec", "status")
        empty |= {part: {} for part in parts if part in resource.schema.children}
    return empty


def without_status(resource: Resource, document: Document, options: WriteOptions) -> Document:
    """Drop the status from a new object: only the subresource can write it."""
    if options.keep_status or "status" not in resource.subresources:
        return document
    return {k: v for k, v in document.items() if k != "status"}


def reset(resource: Resource, live: Document, new: Document, subresource: str) -> Document:
    """Return the object that a write through this subresource may make of the live one."""
    if subresource == "scale":
        return _replacing(live, "spec", new)
    if subresource:
        return _replacing(live, "status", new)
    if "status" in resource.subresources:
        return _replacing(new, "status", live)
    return new


def _replacing(document: Document, part: str, source: Document) -> Document:
    rest = {k: v for k, v in document.items() if k != part}
    return rest | ({part: source[part]} if part in source else {})


def reached(resource: Resource, applied: Document, subresource: str) -> Document:
    """Return the part of an apply configuration that this subresource can reach."""
    if subresource:
        names = ("name", "namespace")
        metadata = {k: v for k, v in applied["metadata"].items() if k in names}
        told = {k: v for k, v in applied.items() if k in {"apiVersion", "kind", "status"}}
        return {**told, "metadata": metadata}
    if "status" in resource.subresources:
        return {k: v for k, v in applied.items() if k != "status"}
    return applied


def check_version(resource: Resource, live: Document, new: Document, *, replacing: bool) -> None:
    """Raise a 409 for an outdated resourceVersion, a 422 for a custom kind replaced without."""
    sent, name = new["metadata"].get("resourceVersion"), live["metadata"]["name"]
    if replacing and resource.custom and not sent:
        raise must_have_version(resource, name)
    if sent and sent != live["metadata"]["resourceVersion"]:
        raise conflict(resource, name)


def known_managers(live: Document, new: Document, options: WriteOptions) -> Managed:
    """Return the managers to go on from: those a client wrote, else those that are there."""
    if options.subresource:
        return managers.read(live)
    if managers.is_reset(new):
        return {}
    return managers.read(new) or managers.read(live)


def same(live: Document, new: Document) -> bool:
    """Say whether nothing changed but, at most, the time of an owner's last write."""
    if _unowned(live) != _unowned(new):
        return False
    before, after = managers.read(live), managers.read(new)
    return {k: e.paths for k, e in before.items()} == {k: e.paths for k, e in after.items()}


def _unowned(document: Document) -> Document:
    metadata = {k: v for k, v in document["metadata"].items() if k != "managedFields"}
    return {**document, "metadata": metadata}


def counted_part(resource: Resource, document: Document) -> Document:
    """Return what a generation counts the changes of."""
    # labels, conditions and the version it was written in are not what a controller acts on
    silent = {"metadata", "apiVersion"}
    if not resource.custom or "status" in resource.subresources:
        silent.add("status")
    return {k: v for k, v in document.items() if k not in silent}
