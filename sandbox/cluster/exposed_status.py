"""What the Tailscale operator writes into the status of Services and Ingresses."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from sandbox.cluster.conditions import condition, merged
from sandbox.cluster.exposed import is_load_balancer


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.cluster.api import Object
    from sandbox.cluster.exposed import Exposed

    State = Mapping[str, Any]

PENDING = "no Tailscale hostname known yet, waiting for proxy pod to finish auth"


def status(item: Exposed, thing: Object, state: State, now: float) -> dict[str, Any]:
    """Return the whole status that follows from the proxy's state Secret."""
    old = thing.get("status") or {}
    if item.kind == "ingress":
        return {**old, "loadBalancer": _ingress(state)}
    ready = condition(
        "TailscaleProxyReady", **_ready(item, state, balanced=is_load_balancer(thing))
    )
    found = {**old, "conditions": merged(old.get("conditions"), [ready], now)}
    if is_load_balancer(thing):
        found["loadBalancer"] = _service(thing, state) if not item.fault else {}
    return found


def _ready(item: Exposed, state: State, *, balanced: bool) -> dict[str, Any]:
    if item.fault:
        return {"true": False, "reason": "ProxyInvalid", "message": item.fault}
    if balanced and not state.get("device_fqdn"):
        return {"true": False, "reason": "ProxyPending", "message": PENDING}
    return {"true": True, "reason": "ProxyCreated", "message": "ProxyCreated"}


def _service(thing: Object, state: State) -> dict[str, Any]:
    """Return hostname and addresses as separate entries, the latter of the ClusterIP's family."""
    if not state.get("device_fqdn"):
        return {}
    version = ip_address(thing["spec"].get("clusterIP") or "10.0.0.1").version
    ips = [ip for ip in state["device_ips"] if ip_address(ip).version == version]
    hostname = state["device_fqdn"].rstrip(".")
    return {"ingress": [{"hostname": hostname}, *({"ip": ip} for ip in ips)]}


def _ingress(state: State) -> dict[str, Any]:
    if not state.get("device_fqdn"):
        return {}
    hostname = state["device_fqdn"].rstrip(".")
    return {"ingress": [{"hostname": hostname, "ports": [{"port": 443, "protocol": "TCP"}]}]}
