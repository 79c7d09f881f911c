"""Manifests laid over a cluster's objects, as if it had applied them and accepted its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    Document = Mapping[str, Any]

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
OURS = ("external-dns.", "tailkeeper.dev/", "tailscale.com/")
"""Annotations that publish names: what git does not say of these is not so."""


def placed(cluster: Document, objects: Iterable[Document]) -> list[dict[str, Any]]:
    """Return manifests' objects with their namespaces.

    One that names none is where the cluster has its only namesake, else in `default`: a tool that
    sets namespaces may stand between.
    """
    return [_placed(cluster, one) for one in objects]


def _placed(cluster: Document, one: Document) -> dict[str, Any]:
    meta = one["object"]["metadata"]
    if meta["namespace"] or one["kind"] == "Namespace":
        return dict(one)
    listed = cluster["objects"].get(one["kind"], ())
    homes = {o["metadata"]["namespace"] for o in listed if o["metadata"]["name"] == meta["name"]}
    home = homes.pop() if len(homes) == 1 else "default"
    return {**one, "object": {**one["object"], "metadata": {**meta, "namespace": home}}}


def source_of(one: Document) -> str:
    """Return an object's name as exposures give it: `<kind>/<namespace>/<name>`."""
    return f"{one['kind'].lower()}/{_key(one['object'])}"


def laid_over(
    cluster: Document, objects: Iterable[Document], without: Collection[str] = ()
) -> dict[str, Any]:
    """Return a cluster's observation with these objects, and without those of other sources."""
    kinds = {
        kind: {_key(item): item for item in items if f"{kind.lower()}/{_key(item)}" not in without}
        if kind in LAID
        else items
        for kind, items in cluster["objects"].items()
    }
    for one in objects:
        there = kinds.setdefault(one["kind"], {})
        key = _key(one["object"])
        there[key] = _merged(one["kind"], there.get(key), one["object"])
    laid = {kind: [*v.values()] if isinstance(v, dict) else v for kind, v in kinds.items()}
    return {**cluster, "objects": laid}


LAID = frozenset(
    {*ROUTES, "Gateway", "ListenerSet", "Namespace", "Service", "Ingress", "ProxyGroup"}
)


def _merged(kind: str, there: Document | None, new: Document) -> dict[str, Any]:
    old = there or {"metadata": {}, "status": {}}
    meta = {**old["metadata"], **new["metadata"]}
    meta["generation"] = old["metadata"].get("generation") or 1
    meta["creationTimestamp"] = old["metadata"].get("creationTimestamp") or ""
    meta["labels"] = {**(old["metadata"].get("labels") or {}), **new["metadata"]["labels"]}
    kept = old["metadata"].get("annotations") or {}
    others = {key: value for key, value in kept.items() if not key.startswith(OURS)}
    meta["annotations"] = {**others, **new["metadata"]["annotations"]}
    status = _accepted(new["spec"]) if kind in ROUTES else old.get("status") or {}
    return {"metadata": meta, "spec": new["spec"], "status": status}


def _accepted(spec: Document) -> dict[str, Any]:
    """Return the status of a route that all its parents accept."""
    conditions = [
        {"type": "Accepted", "status": "True"},
        {"type": "ResolvedRefs", "status": "True"},
    ]
    parents = spec.get("parentRefs") or ()
    return {"parents": [{"parentRef": ref, "conditions": conditions} for ref in parents]}


def _key(item: Document) -> str:
    meta = item["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
