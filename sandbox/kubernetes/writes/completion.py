"""What the server adds to an object that no client owns: addresses, ports, folded secrets."""

from __future__ import annotations

import base64
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.kubernetes.kinds.resource import Resource
    from sandbox.kubernetes.storage.store import Store

Document = dict[str, Any]

SERVICES = IPv4Network("10.96.0.0/16")
# the real server, too, keeps the range's start for addresses that people choose
_FIRST_FREE = 100
_NODE_PORTS = range(30000, 32768)
SERVICE = ("", "services")


def completed(store: Store, resource: Resource, document: Document) -> Document:
    """Return the object with what its kind gets from the server."""
    rule = _RULES.get(resource.kind) if not resource.custom else None
    return rule(store, document) if rule else document


def _namespace(_: Store, document: Document) -> Document:
    metadata = document["metadata"]
    labels = {
        **(metadata.get("labels") or {}),
        "kubernetes.io/metadata.name": metadata.get("name", ""),
    }
    return {
        **document,
        "metadata": {**metadata, "labels": labels},
        "spec": {"finalizers": ["kubernetes"], **(document.get("spec") or {})},
        "status": document.get("status") or {"phase": "Active"},
    }


def _secret(_: Store, document: Document) -> Document:
    plain = document.get("stringData")
    if plain is None:
        return document
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in plain.items()}
    rest = {k: v for k, v in document.items() if k != "stringData"}
    return {**rest, "data": {**(document.get("data") or {}), **encoded}}


def _service(store: Store, document: Document) -> Document:
    spec = dict(document["spec"])
    if spec["type"] == "ExternalName":
        return document
    if not spec.get("clusterIP"):
        spec["clusterIP"] = (spec.get("clusterIPs") or [_free_address(store)])[0]
    # the first of the list and the single address are one field in two forms
    spec["clusterIPs"] = [spec["clusterIP"], *spec.get("clusterIPs", ())[1:]]
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts"):
        spec["ports"] = _with_node_ports(store, document, spec.get("ports") or [])
    return {**document, "spec": spec, "status": document.get("status") or {"loadBalancer": {}}}


def _free_address(store: Store) -> str:
    used = {service["spec"].get("clusterIP") for service in store.all(SERVICE)}
    candidates = (str(SERVICES[i]) for i in range(_FIRST_FREE, SERVICES.num_addresses - 1))
    return next(address for address in candidates if address not in used)


def _with_node_ports(store: Store, document: Document, ports: list[Document]) -> list[Document]:
    uid = document["metadata"].get("uid")
    others = (s for s in store.all(SERVICE) if s["metadata"]["uid"] != uid)
    free = iter(_free_node_ports([*others, document]))
    return [port if port.get("nodePort") else {**port, "nodePort": next(free)} for port in ports]


def _free_node_ports(services: Iterable[Document]) -> Iterable[int]:
    used = {
        port.get("nodePort") for service in services for port in service["spec"].get("ports") or ()
    }
    return (port for port in _NODE_PORTS if port not in used)


_RULES: dict[str, Callable[[Store, Document], Document]] = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Service": _service,
}
