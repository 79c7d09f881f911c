"""What the Tailscale operator gives a proxy of its own: Services and Ingresses that ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.cluster.api import Api, Object

PREFIX = "tailscale.com"
DEFAULT_TAGS = ("tag:k8s",)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Exposed:
    """A Service (`svc`) or Ingress (`ingress`) that wants a device, and which one.

    `ports` are the TCP ports of a Service; an Ingress is always served on 443.
    """

    kind: str
    namespace: str
    name: str
    hostname: str
    tags: tuple[str, ...]
    ports: tuple[int, ...]
    fault: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that the operator makes for it."""
        return {
            f"{PREFIX}/managed": "true",
            f"{PREFIX}/parent-resource": self.name,
            f"{PREFIX}/parent-resource-ns": self.namespace,
            f"{PREFIX}/parent-resource-type": self.kind,
        }


def exposed(api: Api, default_tags: tuple[str, ...]) -> Iterator[tuple[Exposed, Object]]:
    """Yield what asks for a proxy of its own; ProxyGroups carry the others."""
    for thing in api.list("Service"):
        if wants_proxy(thing):
            yield _service(thing, default_tags), thing
    for thing in api.list("Ingress"):
        if _annotations(thing).get(f"{PREFIX}/proxy-group") is None and is_ours(thing):
            yield _ingress(thing, default_tags), thing


def wants_proxy(service: Object) -> bool:
    """Say whether the operator exposes this Service by a proxy."""
    asked = _annotations(service)
    if asked.get(f"{PREFIX}/proxy-group"):
        return False
    return is_load_balancer(service) or asked.get(f"{PREFIX}/expose") == "true"


def is_load_balancer(service: Object) -> bool:
    """Say whether the Service gets a load-balancer status from the operator."""
    spec = service["spec"]
    return (spec.get("type"), spec.get("loadBalancerClass")) == ("LoadBalancer", "tailscale")


def is_ours(ingress: Object) -> bool:
    """Say whether the Ingress is of class `tailscale`."""
    named = ingress["spec"].get("ingressClassName")
    return (named or _annotations(ingress).get("kubernetes.io/ingress.class")) == "tailscale"


def _service(thing: Object, default_tags: tuple[str, ...]) -> Exposed:
    meta, spec = thing["metadata"], thing["spec"]
    hostname = (
        _annotations(thing).get(f"{PREFIX}/hostname") or f"{meta['namespace']}-{meta['name']}"
    )
    fault = ""
    if spec.get("clusterIP") == "None":
        fault = "unable to provision proxy resources: headless Services are not supported."
    elif not LABEL.fullmatch(hostname):
        fault = f"unable to provision proxy resources: invalid Tailscale hostname {hostname!r}"
    ports = [p["port"] for p in spec.get("ports") or [] if p.get("protocol", "TCP") == "TCP"]
    tags = _tags(thing, default_tags)
    return Exposed("svc", meta["namespace"], meta["name"], hostname, tags, tuple(ports), fault)


def _ingress(thing: Object, default_tags: tuple[str, ...]) -> Exposed:
    meta, spec = thing["metadata"], thing["spec"]
    tls_hosts = [host for entry in spec.get("tls") or [] for host in entry.get("hosts") or []]
    hostname = (
        tls_hosts[0].partition(".")[0]
        if tls_hosts
        else f"{meta['namespace']}-{meta['name']}-ingress"
    )
    tags = _tags(thing, default_tags)
    return Exposed("ingress", meta["namespace"], meta["name"], hostname, tags, (443,))


def _annotations(thing: Object) -> dict[str, Any]:
    return thing["metadata"].get("annotations") or {}


def _tags(thing: Object, default: tuple[str, ...]) -> tuple[str, ...]:
    asked = _annotations(thing).get(f"{PREFIX}/tags", "")
    return tuple(tag.strip() for tag in asked.split(",") if tag.strip()) or default
