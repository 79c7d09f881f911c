"""What the Tailscale operator carries by itself, without a Gateway.

    kind        asks for it by                                           is carried by
    service     loadBalancerClass tailscale, or tailscale.com/expose     a device, or a ProxyGroup
    ingress     the class tailscale                                      a device, or a ProxyGroup
    proxygroup  the type kube-apiserver                                  itself

A ProxyGroup's devices share a Tailscale Service, which then stands for them. Connectors, subnet
routers and egress Services lead elsewhere: they expose nothing. Rules: the operator, 1.96 to 1.103.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Object = Mapping[str, Any]

PREFIX = "tailscale.com/"
KINDS = {"service": "Service", "ingress": "Ingress", "proxygroup": "ProxyGroup"}
EGRESS = (f"{PREFIX}tailnet-fqdn", f"{PREFIX}tailnet-ip", f"{PREFIX}ts-tailnet-target-fqdn")
SPOKEN = frozenset({"http", "https"})
ORDER = ("https", "http", "tls", "tcp", "udp")
Port = tuple[int, str]
"""A port's number and what is spoken on it: https, http, tcp or udp."""


@dataclass(frozen=True, slots=True)
class Operated:
    """One of them: `hostname` is what its device is to be called, `ports` the best one first."""

    kind: str
    document: Object
    hostname: str
    ports: tuple[Port, ...]
    funnel: bool = False

    @property
    def place(self) -> str:
        """Return `<namespace>/<name>`, or the name of what has no namespace."""
        meta = self.document["metadata"]
        return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]

    @property
    def key(self) -> str:
        """Return `<kind>/<namespace>/<name>`."""
        return f"{self.kind}/{self.place}"

    @property
    def subject(self) -> str:
        """Return its name as reports say it."""
        return f"{KINDS[self.kind]} {self.place}"


def annotations_of(document: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return document["metadata"].get("annotations") or {}


def reaches_tailnet(service: Object) -> bool:
    """Return whether the Tailscale operator gives a Service a device of its own."""
    spec = service.get("spec") or {}
    balanced = (spec.get("type"), spec.get("loadBalancerClass")) == ("LoadBalancer", "tailscale")
    return balanced or annotations_of(service).get(f"{PREFIX}expose") == "true"


def leads_out(service: Object) -> bool:
    """Return whether a Service leads from the cluster into the tailnet."""
    return any(name in annotations_of(service) for name in EGRESS)


def operated_service(service: Object) -> Operated | None:
    """Return the Service as the operator carries it, None where it does not."""
    spec = service.get("spec") or {}
    if leads_out(service) or not reaches_tailnet(service) or spec.get("clusterIP") == "None":
        return None
    asked = annotations_of(service).get(f"{PREFIX}hostname")
    ports = sorted(map(_port, spec.get("ports") or ()), key=lambda p: (ORDER.index(p[1]), p[0]))
    return Operated("service", service, asked or _default_name(service), tuple(ports))


def _port(port: Object) -> Port:
    """Return a port and its protocol: HTTP only where somebody says so."""
    if (port.get("protocol") or "TCP") != "TCP":
        return int(port["port"]), "udp"
    said = (port.get("appProtocol") or port.get("name") or "").lower()
    return int(port["port"]), said if said in SPOKEN else "tcp"


def operated_ingress(ingress: Object) -> Operated | None:
    """Return the Ingress as the operator carries it, None where it does not."""
    spec, said = ingress.get("spec") or {}, annotations_of(ingress)
    if (spec.get("ingressClassName") or said.get("kubernetes.io/ingress.class")) != "tailscale":
        return None
    hosts = [host for entry in spec.get("tls") or () for host in entry.get("hosts") or ()]
    hostname = hosts[0].partition(".")[0] if hosts else f"{_default_name(ingress)}-ingress"
    funnel = said.get(f"{PREFIX}funnel") == "true"
    return Operated("ingress", ingress, hostname, ((443, "https"),), funnel)


def operated_group(group: Object) -> Operated | None:
    """Return a ProxyGroup in front of the API server; the other types carry what names them."""
    spec = group.get("spec") or {}
    if spec.get("type") != "kube-apiserver":
        return None
    hostname = (spec.get("kubeAPIServer") or {}).get("hostname") or group["metadata"]["name"]
    return Operated("proxygroup", group, hostname, ((443, "https"),))


READERS = {"Service": operated_service, "Ingress": operated_ingress, "ProxyGroup": operated_group}


def operated_in(cluster: Mapping[str, Any]) -> Iterator[Operated]:
    """Yield all that the operator carries by itself, in a cluster reader's document."""
    for kind, read in READERS.items():
        yield from filter(None, map(read, cluster["objects"].get(kind) or ()))


def _default_name(document: Object) -> str:
    meta = document["metadata"]
    return f"{meta['namespace']}-{meta['name']}"
