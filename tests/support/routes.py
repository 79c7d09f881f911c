"""Gateways, listeners and routes as a cluster's reader tells of them."""

from __future__ import annotations

from typing import Any

from tailkeeper.config import ClusterConfig, Config, GatewayConfig, ZoneConfig
from tailkeeper.sources import Discovery, discover


ALPHA, NEWER = "external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/"
EXPOSE = {f"{ALPHA}expose": "true"}
CONFIG = Config(
    clusters=(ClusterConfig("homelab", (GatewayConfig("infra", "gw"),)),),
    zones=(ZoneConfig("example.com", "me", annotation_filter=f"{ALPHA}expose=true"),),
)


def listener(**fields: Any) -> dict[str, Any]:
    """Return an HTTPS listener that takes routes from everywhere."""
    return {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "hostname": "*.example.com",
        "allowedRoutes": {"namespaces": {"from": "All"}},
        **fields,
    }


def gateway(*listeners: Any, name: str = "gw", **annotations: str) -> dict[str, Any]:
    """Return a Gateway of namespace infra; its annotations stand under the older prefix."""
    return {
        "metadata": {
            "namespace": "infra",
            "name": name,
            "annotations": {ALPHA + key: value for key, value in annotations.items()},
        },
        "spec": {"listeners": list(listeners or (listener(),))},
    }


def condition(status: str = "True", **fields: Any) -> dict[str, Any]:
    """Return an Accepted condition."""
    return {"type": "Accepted", "status": status, "observedGeneration": 2, **fields}


def parent(name: str = "gw", **fields: Any) -> dict[str, Any]:
    """Return a parentRef to a Gateway of namespace infra."""
    return {"name": name, "namespace": "infra", **fields}


def route(
    *hostnames: str,
    refs: Any = None,
    judged: Any = None,
    conditions: Any = None,
    annotations: dict[str, str] | None = None,
    namespace: str = "media",
) -> dict[str, Any]:
    """Return an HTTPRoute `app`, accepted by each parent it names unless `judged` says else."""
    refs = [parent()] if refs is None else refs
    return {
        "metadata": {
            "namespace": namespace,
            "name": "app",
            "generation": 2,
            "annotations": EXPOSE if annotations is None else annotations,
        },
        "spec": {"parentRefs": refs, "hostnames": list(hostnames)},
        "status": {
            "parents": [
                {
                    "parentRef": ref,
                    "conditions": [condition()] if conditions is None else conditions,
                }
                for ref in (refs if judged is None else judged)
            ]
        },
    }


NAMESPACES = [
    {"metadata": {"name": "media", "labels": {"open": "yes"}}},
    {"metadata": {"name": "infra"}},
]


def found(
    *objects: dict[str, Any],
    config: Config = CONFIG,
    partial: dict[str, str] | None = None,
    kind: str = "HTTPRoute",
    **others: list[dict[str, Any]],
) -> Discovery:
    """Discover what Gateways, routes of a kind, two namespaces and `others` by kind expose."""
    kinds: dict[str, list[Any]] = {"Gateway": [], kind: [], "Namespace": NAMESPACES, **others}
    for document in objects:
        kinds["Gateway" if "listeners" in document["spec"] else kind].append(document)
    return discover({"cluster": "homelab", "partial": partial or {}, "objects": kinds}, config)


def hosts(discovery: Discovery) -> list[str]:
    """Return the exposed names, in order."""
    return [exposure.host for exposure in discovery.exposures]
