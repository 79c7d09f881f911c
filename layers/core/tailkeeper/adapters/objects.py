"""A cluster's observation: each kind read to the end, trimmed to what planning reads."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.cluster import Refused, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
    # By image: its own tutorials deploy it without the labels that its chart gives.
    "ExternalDNS": ("/apis/apps/v1/deployments", {}),
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
        trim, is_meant = TRIMS.get(kind, trimmed), MEANT.get(kind, bool)
        observed["objects"][kind] = [trim(item) for item in items if is_meant(item)]
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
    """Return how an ExternalDNS runs: its replicas, and its flags wherever they stand."""
    return {
        "namespace": item["metadata"].get("namespace", ""),
        "name": item["metadata"]["name"],
        "replicas": (item.get("spec") or {}).get("replicas", 1),
        "args": [flag for container in _containers(item) for flag in _flags(container)],
    }


def is_external_dns(item: Mapping[str, Any]) -> bool:
    """Say whether a Deployment runs ExternalDNS, by the name of its image."""
    images = (container.get("image", "").rpartition("/")[2] for container in _containers(item))
    return any(image.startswith("external-dns") for image in images)


def _containers(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    template = (item.get("spec") or {}).get("template") or {}
    return list((template.get("spec") or {}).get("containers") or ())


def _flags(container: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arguments, then what ExternalDNS reads from its environment, as arguments."""
    for part in ("command", "args"):
        yield from container.get(part) or ()
    for variable in container.get("env") or ():
        if variable["name"].startswith(ENVIRONMENT):
            flag = variable["name"].removeprefix(ENVIRONMENT).lower().replace("_", "-")
            yield from (f"--{flag}={value}" for value in (variable.get("value") or "").split())


ENVIRONMENT = "EXTERNAL_DNS_"
DEVICE_KEYS = ("device_id", "device_fqdn", "device_ips")
TRIMS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "StateSecret": state_secret,
    "ExternalDNS": external_dns,
}
MEANT: dict[str, Callable[[Mapping[str, Any]], bool]] = {"ExternalDNS": is_external_dns}
