"""The Service that Envoy Gateway makes for a Gateway, by its EnvoyProxy."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Object = Mapping[str, Any]

OWNER = "gateway.envoyproxy.io/owning-gateway"
LONGEST = 48
FIRST_FREE_PORT = 1024
IN_PROXY = ("spec", "provider", "kubernetes", "envoyService")
FIELDS = {"annotations": dict, "labels": dict, "type": str, "loadBalancerClass": str}


def service_name(namespace: str, name: str) -> str:
    """Return `envoy-<namespace>-<name>-<hash>`, cut as Envoy Gateway cuts it."""
    full = f"{namespace}/{name}"
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"envoy-{full.replace('/', '-')[:LONGEST].removesuffix('-')}-{digest}"


def owner_labels(namespace: str, name: str) -> dict[str, str]:
    """Return the labels of everything that belongs to a Gateway's Envoy."""
    return {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/component": "proxy",
        "app.kubernetes.io/managed-by": "envoy-gateway",
        f"{OWNER}-name": name,
        f"{OWNER}-namespace": namespace,
    }


def service(gateway: Object, proxy: Object | None, *, namespace: str) -> dict[str, Any]:
    """Return the Service in the controller's namespace; `proxy` is the EnvoyProxy, if any."""
    meta = gateway["metadata"]
    labels = owner_labels(meta["namespace"], meta["name"])
    wanted = settings(proxy, IN_PROXY)
    asked = gateway["spec"].get("infrastructure") or {}
    annotations = {**wanted.get("annotations", {}), **asked.get("annotations", {})}
    spec = {
        "type": wanted.get("type", "LoadBalancer"),
        "externalTrafficPolicy": wanted.get("externalTrafficPolicy", "Local"),
        "selector": labels,
        "ports": ports(gateway),
    }
    if spec["type"] == "ClusterIP":
        del spec["externalTrafficPolicy"]
    if wanted.get("loadBalancerClass"):
        spec["loadBalancerClass"] = wanted["loadBalancerClass"]
    if gateway["spec"].get("addresses"):
        spec["externalIPs"] = [a["value"] for a in gateway["spec"]["addresses"]]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": service_name(meta["namespace"], meta["name"]),
            "namespace": namespace,
            "labels": {**wanted.get("labels", {}), **asked.get("labels", {}), **labels},
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": spec,
    }


def settings(parameters: Object | None, path: Iterable[str]) -> dict[str, Any]:
    """Return what parameters say of the Service; the API here does not check their fields."""
    found: Any = parameters or {}
    for field in path:
        found = found.get(field)
        if not isinstance(found, dict):
            return {}
    return {
        key: value for key, value in found.items() if isinstance(value, FIELDS.get(key, object))
    }


def ports(gateway: Object) -> list[dict[str, Any]]:
    """Return one port for each port number; Envoy itself listens above the privileged ones."""
    found = {
        listener["port"]: {
            "name": f"{listener['protocol'].lower()}-{listener['port']}",
            "port": listener["port"],
            "protocol": "TCP",
            "targetPort": _target(listener["port"]),
        }
        for listener in reversed(gateway["spec"]["listeners"])
    }
    return [found[port] for port in sorted(found)]


def _target(port: int) -> int:
    return port + 10_000 if port < FIRST_FREE_PORT else port
