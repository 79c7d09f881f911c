"""A cluster's observation: each kind read to the end, trimmed to what planning reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.cluster import Refused, Unreachable
from tailkeeper.trims import MEANT, TRIMS, trimmed


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.adapters.cluster import Cluster

GATEWAY_API = "/apis/gateway.networking.k8s.io"
OPERATOR_NAMESPACE = "tailscale"
NOT_FOUND = 404
AT_ONCE = 4  # lists of one server: the way to it is long, and its own work short


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind is listed: a path for each version that may serve it, the best one first.

    An `optional` kind that no version serves is not installed, so there are none of it.
    """

    paths: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


def _route(plural: str, *versions: str) -> Kind:
    return Kind(tuple(f"{GATEWAY_API}/{v}/{plural}" for v in versions), optional=True)


KINDS = {
    "Gateway": Kind((f"{GATEWAY_API}/v1/gateways",)),
    "HTTPRoute": Kind((f"{GATEWAY_API}/v1/httproutes",)),
    "GRPCRoute": _route("grpcroutes", "v1"),
    "TLSRoute": _route("tlsroutes", "v1", "v1alpha3", "v1alpha2"),
    "TCPRoute": _route("tcproutes", "v1", "v1alpha2"),
    "UDPRoute": _route("udproutes", "v1", "v1alpha2"),
    "ListenerSet": _route("listenersets", "v1"),
    "XListenerSet": Kind(
        ("/apis/gateway.networking.x-k8s.io/v1alpha1/xlistenersets",), optional=True
    ),
    "Namespace": Kind(("/api/v1/namespaces",)),
    "Service": Kind(("/api/v1/services",)),
    "Ingress": Kind(("/apis/networking.k8s.io/v1/ingresses",)),
    "ProxyGroup": Kind(("/apis/tailscale.com/v1alpha1/proxygroups",), optional=True),
    "StateSecret": Kind(
        (f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets",),
        {"labelSelector": "tailscale.com/managed=true"},
    ),
    # By image: its own tutorials deploy it without the labels that its chart gives.
    "ExternalDNS": Kind(("/apis/apps/v1/deployments",)),
}


def observe(name: str, cluster: Cluster) -> dict[str, Any]:
    """Return a cluster's observation: its objects by kind, and why a kind could not be read."""
    observed = nothing(name, "")
    silence: list[str] = []

    def read(kind: str) -> list[dict[str, Any]]:
        if silence:  # every other kind would wait as long: together, longer than a function may run
            raise Unreachable(silence[0])
        try:
            return _listed(cluster, kind)
        except Unreachable as error:
            silence.extend([str(error)] if error.silent else [])
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        readings = {kind: pool.submit(read, kind) for kind in KINDS}
    for kind, reading in readings.items():
        try:
            observed["objects"][kind] = reading.result()
        except (Refused, Unreachable) as error:
            observed["partial"][kind] = str(error)
    observed["complete"] = not observed["partial"]
    return observed


def _listed(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """Return the objects of a kind, trimmed, by the first version that the server has."""
    kind, trim, is_meant = KINDS[name], TRIMS.get(name, trimmed), MEANT.get(name, bool)

    def kept(item: dict[str, Any]) -> dict[str, Any] | None:
        return trim(item) if is_meant(item) else None

    for path in kind.paths:
        try:
            return cluster.list(path, kept, **kind.query)
        except Refused as error:
            if error.status != NOT_FOUND or not kind.optional:
                raise
    return []


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
