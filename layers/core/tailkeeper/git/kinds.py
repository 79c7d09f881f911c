"""The kinds of objects that decide which names are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

GATEWAY_API = "gateway.networking.k8s.io"
GROUPS = {
    "Gateway": GATEWAY_API,
    "HTTPRoute": GATEWAY_API,
    "GRPCRoute": GATEWAY_API,
    "TLSRoute": GATEWAY_API,
    "TCPRoute": GATEWAY_API,
    "UDPRoute": GATEWAY_API,
    "ListenerSet": GATEWAY_API,
    "Namespace": "",
    "Service": "",
    "Ingress": "networking.k8s.io",
    "ProxyGroup": "tailscale.com",
}
"""Each with its API group."""


def is_read(thing: Mapping[str, Any]) -> bool:
    """Return whether an object is of a kind that publishes names."""
    group = str(thing.get("apiVersion")).rpartition("/")[0]
    return GROUPS.get(str(thing.get("kind"))) == group
