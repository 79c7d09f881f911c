"""From a URL to what it names."""

from __future__ import annotations

from dataclasses import dataclass


_OF_NAMESPACES = frozenset({"status", "finalize"})


@dataclass(frozen=True)
class ResourcePath:
    """The parts of a resource URL; a collection has no name."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def resource_path(path: str) -> ResourcePath | None:
    """Return the parts of `/api/VERSION/…` or `/apis/GROUP/VERSION/…`; None for other paths."""
    root, *rest = path.strip("/").split("/")
    if root == "api" and len(rest) >= 2:
        group, version, parts = "", rest[0], rest[1:]
    elif root == "apis" and len(rest) >= 3:
        group, version, parts = rest[0], rest[1], rest[2:]
    else:
        return None
    namespace = ""
    if parts[0] == "namespaces" and len(parts) >= 3 and parts[2] not in _OF_NAMESPACES:
        namespace, parts = parts[1], parts[2:]
    plural, name, subresource = (*parts, "", "")[:3]
    return ResourcePath(group, version, plural, namespace, name, subresource)
