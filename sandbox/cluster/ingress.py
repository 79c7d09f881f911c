"""Ingresses of class `tailscale`: the proxy itself ends TLS, by its own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.frontends import Certificate, Chain, Frontend, Host, Match, Route


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.cluster.api import Api, Object


def frontend_key(namespace: str, name: str) -> str:
    """Return the key of an Ingress's frontend."""
    return f"ingress-{namespace}/{name}:443"


def frontend(api: Api, ingress: Object, fqdn: str, certificate: Certificate) -> Frontend:
    """Return what the proxy of an Ingress serves; host names in its rules do not matter to it."""
    meta = ingress["metadata"]
    routes = sorted(_routes(api, ingress), key=lambda r: (r.match.kind, -len(r.match.path)))
    chain = Chain("https", fqdn, (Host("*", tuple(routes)),), certificate)
    return Frontend(frontend_key(meta["namespace"], meta["name"]), (chain,))


def _routes(api: Api, ingress: Object) -> Iterator[Route]:
    spec, home = ingress["spec"], ingress["metadata"]["namespace"]
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            exact = path.get("pathType") == "Exact"
            match = Match("exact" if exact else "prefix", path.get("path") or "/")
            yield Route(match, ((_service(api, path["backend"], home), 1),))
    if spec.get("defaultBackend"):
        yield Route(Match(), ((_service(api, spec["defaultBackend"], home), 1),))


def _service(api: Api, backend: Mapping[str, Any], home: str) -> str:
    """Return `<namespace>/<service>:<port>`; a port given by name is looked up."""
    ref = backend["service"]
    port = ref.get("port") or {}
    number = port.get("number")
    if number is None:
        service = api.get("Service", home, ref["name"]) or {"spec": {}}
        ports = service["spec"].get("ports") or []
        number = next((p["port"] for p in ports if p.get("name") == port.get("name")), 80)
    return f"{home}/{ref['name']}:{number}"
