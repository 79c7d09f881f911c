"""Services in front of a resolver: which select it, and where their ports lead."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from sandbox.cluster.api import Object
    from sandbox.cluster.resolver import Resolver
    from sandbox.tailnet.datapath import Connect


def selects_pods(service: Object, resolver: Resolver) -> bool:
    """Say whether the Service selects the resolver's Pods."""
    selector = service["spec"].get("selector") or {}
    labels = resolver.deployment["spec"]["template"]["metadata"].get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def tcp_ports(service: Object, resolver: Resolver) -> dict[int, Connect]:
    """Return the Service's TCP ports, each leading to the container port it targets."""
    containers = resolver.deployment["spec"]["template"]["spec"]["containers"]
    named = {
        port["name"]: port["containerPort"]
        for container in containers
        for port in container.get("ports") or []
        if "name" in port
    }
    found: dict[int, Connect] = {}
    for port in service["spec"].get("ports") or []:
        if port.get("protocol", "TCP") == "TCP":
            target = port.get("targetPort", port["port"])
            number = target if isinstance(target, int) else named.get(target, port["port"])
            found[port["port"]] = partial(resolver.connect, number)
    return found
