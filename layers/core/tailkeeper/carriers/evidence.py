"""What a cluster says about which device carries a Gateway, a Service, an Ingress, a ProxyGroup.

Two witnesses: the proxy's state Secret, which names a device by its node id, and the status of
the Service (or the Gateway, which copies it), which gives addresses. Labels and annotations are
those of the Tailscale operator, of Envoy Gateway, and of the Gateway API (GEP-1762).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.operated import reaches_tailnet


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Secrets = Mapping[tuple[str, str], list[Mapping[str, Any]]]

OWNING = "gateway.envoyproxy.io/owning-gateway"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
PARENT = "tailscale.com/parent-resource"
PARENT_KINDS = {"svc": "service", "ingress": "ingress"}


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
    copy = status_of(subject, ((item.get("type") or "IPAddress", item["value"]) for item in listed))
    return Evidence(
        subject=subject,
        node_ids=_node_ids(cluster, services),
        statuses=telling(map(_service_status, services)),
        copies=telling([copy]),
        absent=gateway is None and read_whole(cluster, "Gateway"),
        unread=all_unread(cluster, ("Gateway", "Service", "StateSecret")),
    )


def service_evidence(cluster: Mapping[str, Any], namespace: str, name: str) -> Evidence:
    """Return what the cluster says about the device of a Service that the tailnet reaches."""
    service = _find(cluster, "Service", namespace, name)
    services = [service] if service else []
    return Evidence(
        subject=f"Service {namespace}/{name}",
        node_ids=_node_ids(cluster, services),
        statuses=telling(map(_service_status, services)),
        absent=service is None and read_whole(cluster, "Service"),
        unread=all_unread(cluster, ("Service", "StateSecret")),
    )


def _service_status(service: Mapping[str, Any]) -> Status:
    return status_of(f"Service {_key(service)}", load_balancer(service))


def status_of(source: str, pairs: Iterable[tuple[str, str]]) -> Status:
    """Return what (`IPAddress` or `Hostname`, value) pairs say."""
    told = tuple(pairs)
    addresses = _distinct(value for kind, value in told if kind == "IPAddress")
    return Status(source, addresses, _distinct(v for kind, v in told if kind == "Hostname"))


def telling(statuses: Iterable[Status]) -> tuple[Status, ...]:
    """Return the statuses that say something."""
    return tuple(status for status in statuses if status.addresses or status.names)


def state_secrets(cluster: Mapping[str, Any]) -> Secrets:
    """Return the state Secrets by the kind and `<namespace>/<name>` of what their proxy carries."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for secret in _listed(cluster, "StateSecret"):
        labels = secret.get("labels") or {}
        kind = PARENT_KINDS.get(labels.get(f"{PARENT}-type", ""), "")
        place = f"{labels.get(f'{PARENT}-ns')}/{labels.get(PARENT)}"
        found.setdefault((kind, place), []).append(secret)
    return found


def _node_ids(
    cluster: Mapping[str, Any], services: list[Mapping[str, Any]]
) -> tuple[tuple[str, str], ...]:
    secrets = state_secrets(cluster)
    return ids_in(s for service in services for s in secrets.get(("service", _key(service)), ()))


def ids_in(secrets: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return (Secret, node id) of the Secrets that name a device."""
    return tuple(
        (f"{secret['namespace']}/{secret['name']}", secret["device_id"])
        for secret in secrets
        if secret.get("device_id")
    )


def carries(service: Mapping[str, Any], namespace: str, name: str) -> bool:
    """Return whether a Service is the one made for the Gateway, and the tailnet reaches it."""
    labels = service["metadata"].get("labels") or {}
    owner = labels.get(f"{OWNING}-namespace"), labels.get(f"{OWNING}-name")
    home = service["metadata"].get("namespace", "")
    made_for = owner == (namespace, name) or ((labels.get(GATEWAY_NAME), home) == (name, namespace))
    return made_for and reaches_tailnet(service)


def load_balancer(service: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield what a load balancer's status says, as pairs for `status_of`."""
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


def all_unread(cluster: Mapping[str, Any], kinds: Iterable[str]) -> tuple[str, ...]:
    """Return why some of the kinds were not read whole."""
    partial = cluster.get("partial") or {}
    return tuple(f"{kind}: {partial[kind]}" for kind in kinds if kind in partial)


def read_whole(cluster: Mapping[str, Any], kind: str) -> bool:
    """Return whether what is not in the observation does not exist."""
    return kind not in (cluster.get("partial") or {})
