"""A cluster's observation: each kind read to the end, trimmed to what planning reads."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.cluster import Refused, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailkeeper.adapters.cluster import Cluster

GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
OPERATOR_NAMESPACE = "tailscale"
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "Gateway": (f"{GATEWAY_API}/gateways", {}),
    "HTTPRoute": (f"{GATEWAY_API}/httproutes", {}),
    "Namespace": ("/api/v1/namespaces", {}),
    "Service": ("/api/v1/services", {}),
    "StateSecret": (
        f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets",
        {"labelSelector": "tailscale.com/managed=true"},
    ),
    "ExternalDNS": (
        "/apis/apps/v1/deployments",
        {"labelSelector": "app.kubernetes.io/name=external-dns"},
    ),
}
LONGEST_ANNOTATION = 500  # longer ones are other tools' notes, such as kubectl's last-applied


def observe(name: str, cluster: Cluster) -> dict[str, Any]:
    """Return a cluster's observation: its objects by kind, and why a kind could not be read."""
    observed = nothing(name, "")
    kinds = list(KINDS)
    for place, kind in enumerate(kinds):
        path, query = KINDS[kind]
        try:
            items = cluster.list(path, **query)
        except (Refused, Unreachable) as error:
            observed["partial"][kind] = str(error)
            if isinstance(error, Unreachable) and error.silent:
                # Every other kind would wait as long: together, longer than a function may run.
                observed["partial"] |= dict.fromkeys(kinds[place:], str(error))
                break
            continue
        observed["objects"][kind] = [TRIMS.get(kind, trimmed)(item) for item in items]
    observed["complete"] = not observed["partial"]
    return observed


def nothing(name: str, why: str) -> dict[str, Any]:
    """Return the observation of a cluster that could not be read at all, for the reason given."""
    partial = dict.fromkeys(KINDS, why) if why else {}
    empty: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    return {
        "reader": "cluster",
        "cluster": name,
        "complete": not partial,
        "partial": partial,
        "objects": empty,
    }


def trimmed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what planning never reads: rules, managed fields, other tools'."""
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    spec = {k: v for k, v in (item.get("spec") or {}).items() if k not in {"rules", "template"}}
    return {
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "labels": metadata.get("labels") or {},
            "generation": metadata.get("generation", 0),
            "creationTimestamp": metadata.get("creationTimestamp", ""),
            "annotations": {k: v for k, v in annotations.items() if len(v) <= LONGEST_ANNOTATION},
        },
        "spec": spec,
        "status": item.get("status") or {},
    }


def state_secret(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a proxy's state Secret says of its device, and nothing else that is in it."""
    data = item.get("data") or {}
    told = {key: base64.b64decode(data[key]).decode() for key in DEVICE_KEYS if data.get(key)}
    metadata = item["metadata"]
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "labels": metadata.get("labels") or {},
        "device_id": told.get("device_id", ""),
        "device_fqdn": told.get("device_fqdn", "").removesuffix("."),
        "device_ips": json.loads(told.get("device_ips") or "[]"),
    }


def external_dns(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an ExternalDNS runs: its replicas and its arguments."""
    spec = item.get("spec") or {}
    containers = spec.get("template", {}).get("spec", {}).get("containers") or []
    return {
        "namespace": item["metadata"].get("namespace", ""),
        "name": item["metadata"]["name"],
        "replicas": spec.get("replicas", 1),
        "args": [
            argument
            for container in containers
            for part in ("command", "args")
            for argument in container.get(part) or []
        ],
    }


DEVICE_KEYS = ("device_id", "device_fqdn", "device_ips")
TRIMS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "StateSecret": state_secret,
    "ExternalDNS": external_dns,
}
