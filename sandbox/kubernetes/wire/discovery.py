"""Discovery: what groups, versions and resources there are, aggregated and in the older form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.reviews import AUTHENTICATION, AUTHORIZATION, REVIEWS
from sandbox.kubernetes.kinds.resource import api_version


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Kinds, Resource

Document = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_PART_VERBS = ("get", "patch", "update")
_REVIEW_GROUPS = {AUTHENTICATION: "v1", AUTHORIZATION: "v1"}


def groups(kinds: Kinds) -> dict[str, list[str]]:
    """Return the named groups with their versions, the preferred one first."""
    found = {group: kinds.versions_of(group) for group in kinds.groups()}
    return found | {group: [version] for group, version in _REVIEW_GROUPS.items()}


def paths(kinds: Kinds) -> list[str]:
    """Return `/`: where there is something to find."""
    named = groups(kinds).items()
    found = {f"/apis/{group}/{version}" for group, versions in named for version in versions}
    found |= {f"/apis/{group}" for group, _ in named}
    return sorted(found | {"/api", "/api/v1", "/apis", "/openapi/v2", "/openapi/v3", "/version"})


def aggregated(kinds: Kinds, *, core: bool) -> Document:
    """Return an APIGroupDiscoveryList: of the core group, or of all others."""
    listed = {"": kinds.versions_of("")} if core else groups(kinds)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_group(kinds, group, versions) for group, versions in listed.items()],
    }


def _group(kinds: Kinds, group: str, versions: list[str]) -> Document:
    listed = [
        {"version": version, "freshness": "Current", "resources": _resources(kinds, group, version)}
        for version in versions
    ]
    return {"metadata": {"name": group} if group else {}, "versions": listed}


def _resources(kinds: Kinds, group: str, version: str) -> list[Document]:
    served = [_discovered(r, version) for r in _served(kinds, group, version)]
    reviews = [
        {
            "resource": plural,
            "responseKind": {"group": group, "version": version, "kind": kind},
            "scope": "Namespaced" if namespaced else "Cluster",
            "singularResource": kind.lower(),
            "verbs": ["create"],
        }
        for (of, plural), (kind, namespaced) in REVIEWS.items()
        if of == group
    ]
    return served + reviews


def _served(kinds: Kinds, group: str, version: str) -> list[Resource]:
    return [r for r in kinds if r.group == group and version in r.versions]


def _discovered(resource: Resource, version: str) -> Document:
    kind = {"group": resource.group, "version": version, "kind": resource.kind}
    return {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(_VERBS),
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
        "subresources": [
            {
                "subresource": name,
                "responseKind": _part_kind(name, kind),
                "verbs": list(_PART_VERBS),
            }
            for name in sorted(resource.subresources)
        ],
    }


def _part_kind(subresource: str, kind: Document) -> Document:
    if subresource == "scale":
        return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return kind


def core_versions(address: str) -> Document:
    """Return `/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group_list(kinds: Kinds) -> Document:
    """Return `/apis`."""
    listed = [api_group(group, versions) for group, versions in groups(kinds).items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def api_group(group: str, versions: list[str]) -> Document:
    """Return `/apis/GROUP`."""
    named = [{"groupVersion": api_version(group, v), "version": v} for v in versions]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": group,
        "versions": named,
        "preferredVersion": named[0],
    }


def resource_list(kinds: Kinds, group: str, version: str) -> Document | None:
    """Return `/api/VERSION` or `/apis/GROUP/VERSION`; None when nothing is served there."""
    found = _resources(kinds, group, version)
    if not found:
        return None
    listed = [entry for resource in found for entry in _legacy(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version(group, version),
        "resources": listed,
    }


def _legacy(found: Document) -> list[Document]:
    namespaced = found["scope"] == "Namespaced"
    own = {
        "name": found["resource"],
        "singularName": found["singularResource"],
        "namespaced": namespaced,
        "kind": found["responseKind"]["kind"],
        "verbs": found["verbs"],
        "shortNames": found.get("shortNames") or [],
        "categories": found.get("categories") or [],
    }
    parts = [
        {
            "name": f"{found['resource']}/{part['subresource']}",
            "singularName": "",
            "namespaced": namespaced,
            "kind": part["responseKind"]["kind"],
            "verbs": part["verbs"],
        }
        for part in found.get("subresources") or ()
    ]
    return [{k: v for k, v in own.items() if v not in ([], None)}, *parts]
