"""Services, Ingresses and ProxyGroups of the Tailscale operator, as a cluster's reader tells them.

`operated(kind, ...)` is one of them, `secret(...)` what its proxy's state Secret says.
"""

from __future__ import annotations

from typing import Any


ALPHA = "external-dns.alpha.kubernetes.io/"
EXPOSE = {f"{ALPHA}expose": "true"}
DOMAIN = "tail.ts.net"


def _object(
    name: str, annotations: dict[str, str], spec: dict[str, Any], status: dict[str, Any]
) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "apps", "name": name, "labels": {}, "annotations": annotations},
        "spec": spec,
        "status": status,
    }


def balanced(
    name: str, *ports: dict[str, Any], ingress: Any = (), **annotations: str
) -> dict[str, Any]:
    """Return a LoadBalancer Service of class tailscale; annotations without their prefix."""
    spec = {
        "type": "LoadBalancer",
        "loadBalancerClass": "tailscale",
        "ports": list(ports) or [{"port": 443}],
    }
    return _object(name, _prefixed(annotations), spec, {"loadBalancer": {"ingress": list(ingress)}})


def exposed(name: str, *ports: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """Return a Service with the annotation tailscale.com/expose, which gets no status."""
    said = {**_prefixed(annotations), "tailscale.com/expose": "true"}
    return _object(name, said, {"type": "ClusterIP", "ports": list(ports) or [{"port": 80}]}, {})


def ingress(
    name: str, fqdn: str = "", *, tls: str = "", rules: Any = (), **annotations: str
) -> dict[str, Any]:
    """Return an Ingress of class tailscale; `fqdn` is the name that its status gives."""
    spec: dict[str, Any] = {"ingressClassName": "tailscale", "rules": list(rules)}
    if tls:
        spec["tls"] = [{"hosts": [tls]}]
    listed = [{"hostname": fqdn, "ports": [{"port": 443, "protocol": "TCP"}]}] if fqdn else []
    return _object(name, _prefixed(annotations), spec, {"loadBalancer": {"ingress": listed}})


def api_server(name: str, url: str = "", **spec: Any) -> dict[str, Any]:
    """Return a ProxyGroup in front of the API server."""
    return {
        "metadata": {"namespace": "", "name": name, "annotations": {}, "labels": {}},
        "spec": {"type": "kube-apiserver", **spec},
        "status": {"url": url} if url else {},
    }


def secret(name: str, node_id: str, *, kind: str = "svc", fqdn: str = "") -> dict[str, Any]:
    """Return the state Secret of the proxy of an object of the namespace apps."""
    parent = "tailscale.com/parent-resource"
    return {
        "namespace": "tailscale",
        "name": f"ts-{name}-0",
        "labels": {parent: name, f"{parent}-ns": "apps", f"{parent}-type": kind},
        "device_id": node_id,
        "device_fqdn": fqdn,
        "device_ips": [],
    }


def _prefixed(annotations: dict[str, str]) -> dict[str, str]:
    """Return annotations by their full names: `ts_hostname` is Tailscale's, `own_` tailkeeper's."""
    prefixes = {"ts": "tailscale.com/", "own": "tailkeeper.dev/", "dns": ALPHA}
    split = {key: key.partition("_") for key in annotations}
    return {
        prefixes[split[key][0]] + split[key][2].replace("_", "-"): value
        for key, value in annotations.items()
    }
