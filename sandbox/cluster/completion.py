"""What manifests refer to and nobody declares: charts or other tools would create it.

Stand-ins carry the label `sandbox.tailkeeper/stand-in`, and each is told in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cluster.attachment import backend_refs, parents
from sandbox.cluster.cert_manager import names_of, tls_secret
from sandbox.cluster.charts import charts
from sandbox.cluster.gateway_controllers import CLASSES, plays


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sandbox.cluster.certificates import Authority

    Object = Mapping[str, Any]

STAND_IN = {"sandbox.tailkeeper/stand-in": "true"}
SERVED = {"HTTPRoute", "GRPCRoute"}
UNSERVED = {"TLSRoute", "TCPRoute", "UDPRoute"}
HOSTNAME_ANNOTATIONS = (
    "external-dns.alpha.kubernetes.io/hostname",
    "external-dns.kubernetes.io/hostname",
)
Name = tuple[str, str]


@dataclass
class Completion:
    """The objects to add, and what a person should know of them."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def complete(objects: Sequence[Object], authority: Authority) -> Completion:
    """Return stand-ins for the Services and TLS Secrets that are missing."""
    found = Completion()
    _add_classes(objects, found)
    _add_services(objects, found)
    _add_certificates(objects, authority, found)
    installed = sorted({chart.name for chart in charts(objects) if chart.name})
    if installed:
        found.notes.append(f"charts are not rendered: {', '.join(installed)}")
    found.notes += _unserved(objects)
    return found


def _add_classes(objects: Sequence[Object], found: Completion) -> None:
    """Add the GatewayClasses that their controllers make by themselves, or their charts."""
    declared = {thing["metadata"]["name"] for thing in objects if thing["kind"] == "GatewayClass"}
    wanted = {thing["spec"]["gatewayClassName"] for thing in objects if thing["kind"] == "Gateway"}
    for name in sorted((wanted - declared) & CLASSES.keys()):
        metadata = {"name": name, "labels": STAND_IN}
        thing = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass"}
        spec = {"controllerName": CLASSES[name]}
        found.objects.append({**thing, "metadata": metadata, "spec": spec})
        found.notes.append(f"GatewayClass {name} is in no manifest: {CLASSES[name]} is played")


def _add_services(objects: Sequence[Object], found: Completion) -> None:
    declared = {_name(thing) for thing in objects if thing["kind"] == "Service"}
    missing: dict[Name, set[int]] = {}
    for service, port in _backends(objects):
        if service not in declared:
            missing.setdefault(service, set()).add(port)
    for (namespace, name), ports in sorted(missing.items()):
        spec = {"ports": [{"name": f"port-{p}", "port": p} for p in sorted(ports)]}
        found.objects.append(_object("v1", "Service", namespace, name) | {"spec": spec})
        found.notes.append(
            f"Service {namespace}/{name} is in no manifest (a chart would create it):"
            " a stand-in backend answers"
        )


def _backends(objects: Iterable[Object]) -> Iterator[tuple[Name, int]]:
    """Yield the Services and ports that routes and Ingresses lead to."""
    for thing in objects:
        home = _name(thing)[0]
        if thing["kind"] == "HTTPRoute":
            for ref in backend_refs(thing):
                if ref.get("kind", "Service") == "Service" and not ref.get("group"):
                    yield (ref.get("namespace") or home, ref["name"]), ref.get("port", 80)
        elif thing["kind"] == "Ingress":
            for backend in _ingress_backends(thing):
                ref = backend.get("service") or {}
                if ref.get("name"):
                    yield (home, ref["name"]), (ref.get("port") or {}).get("number", 80)


def _ingress_backends(ingress: Object) -> Iterator[Mapping[str, Any]]:
    spec = ingress.get("spec") or {}
    if spec.get("defaultBackend"):
        yield spec["defaultBackend"]
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            yield path["backend"]


def _add_certificates(objects: Sequence[Object], authority: Authority, found: Completion) -> None:
    """Stand in for the TLS Secrets of listeners that neither a manifest nor cert-manager makes."""
    made = {_name(thing) for thing in objects if thing["kind"] == "Secret"}
    made |= {
        (_name(thing)[0], (thing.get("spec") or {}).get("secretName", ""))
        for thing in objects
        if thing["kind"] == "Certificate" and names_of(thing.get("spec") or {})
    }
    missing: dict[Name, list[str]] = {}
    for gateway in (thing for thing in objects if thing["kind"] == "Gateway"):
        for listener in gateway["spec"].get("listeners") or []:
            for ref in (listener.get("tls") or {}).get("certificateRefs") or []:
                name = ref.get("namespace") or _name(gateway)[0], ref["name"]
                if name not in made:
                    missing.setdefault(name, []).extend(_served(listener, gateway, objects))
    for name, hostnames in missing.items():
        _add_certificate(name, list(dict.fromkeys(hostnames)), authority, found)


def _served(listener: Object, gateway: Object, objects: Sequence[Object]) -> list[str]:
    """Return the hostname of a listener; of one that serves any, the names of its routes."""
    if listener.get("hostname"):
        return [listener["hostname"]]
    return [
        hostname
        for route in objects
        if route["kind"] in SERVED
        and any((ns, name) == _name(gateway) for _, ns, name in parents(_placed(route)))
        for hostname in _asked(route)
    ]


def _asked(route: Object) -> Iterator[str]:
    """Yield the names that a route serves, and those that it has ExternalDNS publish besides."""
    yield from route["spec"].get("hostnames") or []
    annotations = route["metadata"].get("annotations") or {}
    for name in HOSTNAME_ANNOTATIONS:
        for hostname in annotations.get(name, "").split(","):
            yield hostname.strip().rstrip(".").lower()


def _add_certificate(
    name: Name, hostnames: list[str], authority: Authority, found: Completion
) -> None:
    wanted = names_of({"dnsNames": hostnames}) or ["*.example.com"]
    spec = {"secretName": name[1], "dnsNames": wanted}
    secret = tls_secret(authority, name[0], spec)
    found.objects.append({**secret, "metadata": {**secret["metadata"], "labels": STAND_IN}})
    found.notes.append(
        f"Secret {name[0]}/{name[1]} is in no manifest, and no Certificate makes it:"
        " a certificate of the sandbox takes its place"
    )


def _unserved(objects: Sequence[Object]) -> Iterator[str]:
    classes = CLASSES | {
        thing["metadata"]["name"]: thing["spec"]["controllerName"]
        for thing in objects
        if thing["kind"] == "GatewayClass"
    }
    gateways = {_name(thing): thing for thing in objects if thing["kind"] == "Gateway"}
    for (namespace, name), thing in gateways.items():
        wanted = thing["spec"]["gatewayClassName"]
        if wanted not in classes:
            yield f"Gateway {namespace}/{name} is not served: GatewayClass {wanted} is not declared"
        elif not plays(classes[wanted]):
            yield f"Gateway {namespace}/{name} is not served: {classes[wanted]} does not run here"
    for route in (thing for thing in objects if thing["kind"] == "HTTPRoute"):
        if not any((ns, name) in gateways for _, ns, name in parents(_placed(route))):
            yield f"HTTPRoute {'/'.join(_name(route))} is not served: its Gateway is not declared"
    for route in (thing for thing in objects if thing["kind"] in UNSERVED):
        what = f"{route['kind']} {'/'.join(_name(route))}"
        yield f"{what} is not served: the Envoy here serves HTTPRoutes and GRPCRoutes"


def _placed(thing: Object) -> Object:
    """Return the object with its namespace written out."""
    return {**thing, "metadata": {**thing["metadata"], "namespace": _name(thing)[0]}}


def _name(thing: Object) -> Name:
    return thing["metadata"].get("namespace") or "default", thing["metadata"]["name"]


def _object(version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": STAND_IN}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
