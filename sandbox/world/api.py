"""The Kubernetes stand-in as the cluster's controllers use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.api import Api


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.cluster.api import Object
    from sandbox.kubernetes.server import Kubernetes

RESOURCES = {
    "Certificate": "cert-manager.io/v1/certificates",
    "ConfigMap": "v1/configmaps",
    "Deployment": "apps/v1/deployments",
    "EnvoyProxy": "gateway.envoyproxy.io/v1alpha1/envoyproxies",
    "Gateway": "gateway.networking.k8s.io/v1/gateways",
    "GatewayClass": "gateway.networking.k8s.io/v1/gatewayclasses",
    "HTTPRoute": "gateway.networking.k8s.io/v1/httproutes",
    "Ingress": "networking.k8s.io/v1/ingresses",
    "Namespace": "v1/namespaces",
    "Pod": "v1/pods",
    "ReferenceGrant": "gateway.networking.k8s.io/v1beta1/referencegrants",
    "Secret": "v1/secrets",
    "Service": "v1/services",
    "StatefulSet": "apps/v1/statefulsets",
}


class ClusterApi(Api):
    """Names kinds, and turns a whole status into the smallest merge patch."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""
        return self._kubernetes.get(RESOURCES[kind], namespace, name)

    def list(self, kind: str, namespace: str = "") -> Sequence[Object]:
        """Return the objects of a kind, of one namespace or all."""
        return self._kubernetes.list(RESOURCES[kind], namespace or None)

    def apply(self, thing: Object, manager: str) -> None:
        """Create the object or take over the fields given, as a forced server-side apply."""
        self._kubernetes.apply(thing, manager=manager)

    def set_status(self, thing: Object, status: Object, manager: str) -> None:
        """Replace the status of the object; nothing happens if it is gone or says so already."""
        kind, meta = RESOURCES[thing["kind"]], thing["metadata"]
        live = self._kubernetes.get(kind, meta.get("namespace"), meta["name"])
        change = difference(live.get("status") or {}, status) if live else {}
        if change:
            self._kubernetes.patch_status(
                kind, meta.get("namespace"), meta["name"], change, manager=manager
            )

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete the object if it is there."""
        self._kubernetes.delete(RESOURCES[kind], namespace, name)

    def subscribe(self, callback: Callable[[str, Object], None]) -> None:
        """Call back with (`ADDED`, `MODIFIED` or `DELETED`, object) after every change."""
        self._kubernetes.subscribe(callback)


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7396) that makes `new` of `old`; empty if they are equal."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := difference(before, value):
                patch[key] = inner
        elif value != before or key not in old:
            patch[key] = value
    return patch
