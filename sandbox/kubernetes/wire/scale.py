"""The scale subresource: a workload's replicas as an autoscaling/v1 Scale."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.errors import bad_request


Document = dict[str, Any]


def as_scale(document: Document) -> Document:
    """Return a workload's Scale."""
    metadata, spec = document["metadata"], document["spec"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: metadata[k] for k in kept if k in metadata},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": {
            "replicas": (document.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items())),
        },
    }


def scaled(document: Document, scale: Any) -> Document:
    """Return a workload with the replicas and the resourceVersion that a Scale names."""
    try:
        replicas = int(scale["spec"].get("replicas", 0))
        version = scale["metadata"].get("resourceVersion")
    except (TypeError, KeyError, ValueError):
        raise bad_request("the object is not a Scale") from None
    metadata = {**document["metadata"], **({"resourceVersion": version} if version else {})}
    return {**document, "metadata": metadata, "spec": {**document["spec"], "replicas": replicas}}
