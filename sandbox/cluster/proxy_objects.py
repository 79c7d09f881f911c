"""The objects of one Tailscale proxy: StatefulSet, Pod, state Secret.

The state Secret is the device's identity: while it lives, a new Pod is the same device.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.cluster.api import Object
    from sandbox.cluster.exposed import Exposed

NAMESPACE = "tailscale"
IMAGE = "tailscale/tailscale:v1.98.3"
CAPABILITY_VERSION = "131"
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def proxy_name(item: Exposed) -> str:
    """Return `ts-<parent>-<five letters>`; the letters are the parent's, so that they last."""
    digest = hashlib.sha256(f"{item.kind}/{item.namespace}/{item.name}".encode()).digest()
    letters = "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:5])
    return f"ts-{item.name[:45].rstrip('-')}-{letters}"


def pod_name(item: Exposed) -> str:
    """Return the name of the proxy's only Pod, which is the state Secret's too."""
    return f"{proxy_name(item)}-0"


def stateful_set(item: Exposed) -> Object:
    """Return the proxy's StatefulSet, as far as anyone looks at it."""
    name = proxy_name(item)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": item.labels},
        "spec": {
            "replicas": 1,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, **item.labels}},
                "spec": _pod_spec(name),
            },
        },
    }


def pod(item: Exposed) -> Object:
    """Return the proxy's Pod."""
    name = proxy_name(item)
    labels = {"app": name, "apps.kubernetes.io/pod-index": "0", **item.labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-0", "namespace": NAMESPACE, "labels": labels},
        "spec": _pod_spec(name),
    }


def _pod_spec(name: str) -> dict[str, Any]:
    env = [
        {"name": "TS_USERSPACE", "value": "false"},
        {"name": "TS_KUBE_SECRET", "value": f"{name}-0"},
    ]
    return {
        "serviceAccountName": "proxies",
        "containers": [{"name": "tailscale", "image": IMAGE, "env": env}],
    }


def state_secret(item: Exposed, device: Mapping[str, Any], pod_uid: str) -> Object:
    """Return the state Secret as containerboot writes it: the FQDN has a trailing dot."""
    state = {
        "device_id": device["nodeId"],
        "device_fqdn": device["name"].rstrip(".") + ".",
        "device_ips": json.dumps(device["addresses"], separators=(",", ":")),
        "pod_uid": pod_uid,
        "tailscale_capver": CAPABILITY_VERSION,
    }
    if item.kind == "ingress":
        state["https_endpoint"] = device["name"].rstrip(".")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": pod_name(item), "namespace": NAMESPACE, "labels": item.labels},
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in state.items()},
    }


def decoded(secret: Object | None) -> dict[str, Any]:
    """Return what a state Secret says (`device_ips` as a list), empty if it says nothing."""
    data = (secret or {}).get("data") or {}
    state: dict[str, Any] = {k: base64.b64decode(v).decode() for k, v in data.items()}
    if "device_ips" in state:
        state["device_ips"] = json.loads(state["device_ips"])
    return state
