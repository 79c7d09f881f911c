"""What a cluster says about which device carries a Gateway or a Service.

Two witnesses: the proxy's state Secret, which names a device by its node id, and the status of
the Service (or the Gateway, which copies it), which gives addresses. Labels and annotations are
those of the Tailscale operator, of Envoy Gateway, and of the Gateway API (GEP-1762).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWNING = "gateway.envoyproxy.io/owning-gateway"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
PARENT = "tailscale.com/parent-resource"


@dataclass(frozen=True, slots=True)
class Status:
    """The addresses and names that one object's status gives."""

    source: str
    addresses: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The witnesses on one subject, named as in `Gateway tailscale/tailscale-gateway`.

    `node_ids` come from state Secrets, as (Secret, node id). `statuses` are those of the Services
    in front, and `copies` those that follow them with some delay; each says something. `absent`:
    the subject is proven not to exist; `unread`: why a witness could not be heard.
    """

    subject: str
    node_ids: tuple[tuple[str, str], ...] = ()
    statuses: tuple[Status, ...] = ()
    copies: tuple[Status, ...] = ()
    absent: bool = False
    unread: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Return whether no witness says anything."""
        return not (self.node_ids or self.statuses or self.copies)


def gateway_evidence(cluster: Mapping[str, Any], namespace: str, name: str) -> Evidence:
    """Return what the cluster says about a Gateway's device."""
    gateway = _find(cluster, "Gateway", namespace, name)
    services = [s for s in _listed(cluster, "Service") if carries(s, namespace, name)]
    subject = f"Gateway {namespace}/{name}"
    listed = ((gateway or {}).get("status") or {}).get("addresses") or ()
    copy = _status(subject, ((item.get("type") or "IPAddress", item["value"]) for item in listed))
    return Evidence(
        subject=subject,
        node_ids=_node_ids(cluster, services),
        statuses=_telling(map(_service_status, services)),
        copies=_telling([copy]),
        absent=gateway is None and _read_whole(cluster, "Gateway"),
        unread=_all_unread(cluster, ("Gateway", "Service", "StateSecret")),
    )


def service_evidence(cluster: Mapping[str, Any], namespace: str, name: str) -> Evidence:
    """Return what the cluster says about the device of a Service that the tailnet reaches."""
    service = _find(cluster, "Service", namespace, name)
    services = [service] if service else []
    return Evidence(
        subject=f"Service {namespace}/{name}",
        node_ids=_node_ids(cluster, services),
        statuses=_telling(map(_service_status, services)),
        absent=service is None and _read_whole(cluster, "Service"),
        unread=_all_unread(cluster, ("Service", "StateSecret")),
    )


def _service_status(service: Mapping[str, Any]) -> Status:
    return _status(f"Service {_key(service)}", _ingress(service))


def _status(source: str, pairs: Iterable[tuple[str, str]]) -> Status:
    told = tuple(pairs)
    addresses = _distinct(value for kind, value in told if kind == "IPAddress")
    return Status(source, addresses, _distinct(v for kind, v in told if kind == "Hostname"))


def _telling(statuses: Iterable[Status]) -> tuple[Status, ...]:
    return tuple(status for status in statuses if status.addresses or status.names)


def _node_ids(
    cluster: Mapping[str, Any], services: list[Mapping[str, Any]]
) -> tuple[tuple[str, str], ...]:
    parents = {_key(service) for service in services}
    return tuple(
        (f"{secret['namespace']}/{secret['name']}", secret["device_id"])
        for secret in _listed(cluster, "StateSecret")
        if secret.get("device_id") and _parent(secret) in parents
    )


def _parent(secret: Mapping[str, Any]) -> str | None:
    labels = secret.get("labels") or {}
    if labels.get(f"{PARENT}-type") != "svc":
        return None
    return f"{labels.get(f'{PARENT}-ns')}/{labels.get(PARENT)}"


def carries(service: Mapping[str, Any], namespace: str, name: str) -> bool:
    """Return whether a Service is the one made for the Gateway, and the tailnet reaches it."""
    labels = service["metadata"].get("labels") or {}
    owner = labels.get(f"{OWNING}-namespace"), labels.get(f"{OWNING}-name")
    home = service["metadata"].get("namespace", "")
    made_for = owner == (namespace, name) or ((labels.get(GATEWAY_NAME), home) == (name, namespace))
    return made_for and reaches_tailnet(service)


def reaches_tailnet(service: Mapping[str, Any]) -> bool:
    """Return whether the Tailscale operator gives a Service a device of its own."""
    spec = service.get("spec") or {}
    annotations = service["metadata"].get("annotations") or {}
    balanced = (spec.get("type"), spec.get("loadBalancerClass")) == ("LoadBalancer", "tailscale")
    return balanced or annotations.get("tailscale.com/expose") == "true"


def _ingress(service: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    status = (service.get("status") or {}).get("loadBalancer") or {}
    for item in status.get("ingress") or ():
        for field, kind in (("ip", "IPAddress"), ("hostname", "Hostname")):
            if item.get(field):
                yield kind, item[field]


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _listed(cluster: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return list((cluster.get("objects") or {}).get(kind) or ())


def _find(
    cluster: Mapping[str, Any], kind: str, namespace: str, name: str
) -> Mapping[str, Any] | None:
    key = f"{namespace}/{name}"
    return next((item for item in _listed(cluster, kind) if _key(item) == key), None)


def _key(document: Mapping[str, Any]) -> str:
    meta = document["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _all_unread(cluster: Mapping[str, Any], kinds: Iterable[str]) -> tuple[str, ...]:
    partial = cluster.get("partial") or {}
    return tuple(f"{kind}: {partial[kind]}" for kind in kinds if kind in partial)


def _read_whole(cluster: Mapping[str, Any], kind: str) -> bool:
    return kind not in (cluster.get("partial") or {})
