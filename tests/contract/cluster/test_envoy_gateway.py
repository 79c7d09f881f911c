"""Envoy Gateway's controller: Services, statuses and what Envoy is told, from cluster objects."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.clock import Clock
from sandbox.cluster.envoy_gateway import EnvoyGateway
from sandbox.cluster.network import ServiceNetwork
from sandbox.cluster.planes import SharedPlane


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cluster.certificates import Authority

SERVICE = "envoy-edge-web-95b551bf"
CLUSTER = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: proxy, namespace: edge}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: proxy, namespace: edge}
spec:
  provider:
    kubernetes: {envoyService: {loadBalancerClass: tailscale, annotations: {a: class}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: edge, generation: 3}
spec:
  gatewayClassName: eg
  listeners:
  - name: https
    protocol: HTTPS
    port: 443
    hostname: "*.home.example"
    allowedRoutes: {namespaces: {from: All}}
    tls: {certificateRefs: [{name: wildcard}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: apps}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: apps}
spec:
  parentRefs: [{name: web, namespace: edge}]
  hostnames: [app.home.example]
  rules: [{backendRefs: [{name: app, port: 80}]}]
"""


@pytest.fixture
def controller(
    api: Any, plane: Any, load: Callable[[str], None], authority: Authority
) -> EnvoyGateway:
    """Return the controller of a cluster with one Gateway, one route and a certificate."""
    load(CLUSTER)
    leaf = authority.issue("*.home.example")
    fields = {"tls.crt": leaf.chain, "tls.key": leaf.key}
    data = {name: base64.b64encode(pem.encode()).decode() for name, pem in fields.items()}
    meta = {"name": "wildcard", "namespace": "edge"}
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}, "test")

    async def nobody(service: str) -> Any:
        raise ConnectionRefusedError(service)

    return EnvoyGateway(api, SharedPlane(plane), ServiceNetwork(nobody), Clock())


def conditions(holder: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return {type: (status, reason)}."""
    return {c["type"]: (c["status"], c["reason"]) for c in holder["conditions"]}


def gateway(api: Any) -> dict[str, Any]:
    """Return the Gateway's status."""
    status: dict[str, Any] = api.get("Gateway", "edge", "web")["status"]
    return status


def balance(api: Any, *entries: dict[str, str]) -> None:
    """Play the load balancer."""
    service = api.get("Service", "envoy-gateway-system", SERVICE)
    api.set_status(service, {"loadBalancer": {"ingress": list(entries)}}, "lb")


def test_a_gateway_gets_its_service_addresses_and_envoy(
    api: Any, plane: Any, play: Any, controller: EnvoyGateway
) -> None:
    """The Service comes first, its load balancer's word becomes the Gateway's addresses."""
    play(controller.reconcile())
    service = api.get("Service", "envoy-gateway-system", SERVICE)
    assert service["metadata"]["annotations"] == {"a": "class"}
    assert conditions(gateway(api))["Programmed"] == ("False", "AddressNotAssigned")

    balance(api, {"hostname": "gw.x.ts.net"}, {"ip": "100.64.0.7"}, {"ip": "fd7a::7"})
    play(controller.reconcile())

    status = gateway(api)
    assert [(a["type"], a["value"]) for a in status["addresses"]] == [
        ("IPAddress", "100.64.0.7"),
        ("IPAddress", "fd7a::7"),
        ("Hostname", "gw.x.ts.net"),
    ]
    assert conditions(status) == {
        "Accepted": ("True", "Accepted"),
        "Programmed": ("True", "Programmed"),
    }
    assert status["conditions"][0]["observedGeneration"] == 3
    assert status["listeners"][0]["attachedRoutes"] == 1
    assert conditions(status["listeners"][0])["ResolvedRefs"] == ("True", "ResolvedRefs")
    parent = api.get("HTTPRoute", "apps", "app")["status"]["parents"][0]
    assert parent["controllerName"] == "gateway.envoyproxy.io/gatewayclass-controller"
    assert conditions(parent) == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("True", "ResolvedRefs"),
    }
    chain = plane.frontends["edge/web:443"].chains[0]
    assert (chain.server_name, chain.hosts[0].name) == ("*.home.example", "app.home.example")
    assert chain.hosts[0].routes[0].backends == (("apps/app:80", 1),)
    assert "BEGIN CERTIFICATE" in chain.certificate.chain


def test_nothing_is_written_when_nothing_changed(
    api: Any, play: Any, controller: EnvoyGateway
) -> None:
    """A controller that wrote on every look would wake itself for ever."""
    play(controller.reconcile())
    writes = api.writes

    play(controller.reconcile())

    assert api.writes == writes


@pytest.mark.parametrize(
    ("change", "where", "kind", "expected"),
    [
        (("HTTPRoute", "spec", "hostnames", ["x.org"]), "route", "Accepted",
         ("False", "NoMatchingListenerHostname")),
        (("HTTPRoute", "spec", "parentRefs", [{"name": "web", "namespace": "edge",
          "sectionName": "h2"}]), "route", "Accepted", ("False", "NoMatchingParent")),
        (("HTTPRoute", "spec", "rules", [{"backendRefs": [{"name": "gone", "port": 1}]}]), "route",
         "ResolvedRefs", ("False", "BackendNotFound")),
        (("Secret", "data", "tls.crt", ""), "listener", "ResolvedRefs",
         ("False", "InvalidCertificateRef")),
        (("Secret", "data", "tls.crt", ""), "listener", "Programmed", ("False", "Invalid")),
        (("EnvoyProxy", "metadata", "name", "other"), "class", "Accepted",
         ("False", "InvalidParameters")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is_wrong(
    api: Any,
    play: Any,
    controller: EnvoyGateway,
    *,
    change: tuple[str, str, str, Any],
    where: str,
    kind: str,
    expected: tuple[str, str],
) -> None:
    """Routes, listeners and classes carry the condition and the reason that clients look for."""
    thing, part, field, value = change
    key, old = next((k, v) for k, v in api.store.items() if k[0] == thing)
    del api.store[key]
    api.apply({**old, part: {**old[part], field: value}}, "test")

    play(controller.reconcile())

    holder = {
        "route": lambda: api.get("HTTPRoute", "apps", "app")["status"]["parents"][0],
        "listener": lambda: gateway(api)["listeners"][0],
        "class": lambda: api.get("GatewayClass", "", "eg")["status"],
    }[where]()
    assert conditions(holder)[kind] == expected


def test_conflicting_listeners_are_refused_and_the_first_serves(
    api: Any, plane: Any, play: Any, controller: EnvoyGateway
) -> None:
    """Two listeners of one port and hostname: Envoy would refuse them both."""
    old = api.get("Gateway", "edge", "web")
    first = old["spec"]["listeners"][0]
    spec = {**old["spec"], "listeners": [first, {**first, "name": "again"}]}
    api.apply({**old, "spec": spec}, "test")

    play(controller.reconcile())

    assert conditions(gateway(api)["listeners"][1])["Accepted"] == ("False", "HostnameConflict")
    assert conditions(gateway(api)["listeners"][1])["Conflicted"] == ("True", "HostnameConflict")
    assert [c.name for c in plane.frontends["edge/web:443"].chains] == ["https"]


def test_the_gateways_own_settings_win_over_its_classes(
    api: Any, play: Any, controller: EnvoyGateway, load: Callable[[str], None]
) -> None:
    """`infrastructure` names another EnvoyProxy and adds annotations of its own."""
    load(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\n"
        "metadata: {name: own, namespace: edge}\n"
        "spec: {provider: {kubernetes: {envoyService: {type: ClusterIP, annotations: {b: '1'}}}}}\n"
    )
    old = api.get("Gateway", "edge", "web")
    own = {"parametersRef": {"kind": "EnvoyProxy", "name": "own"}, "annotations": {"c": "2"}}
    api.apply({**old, "spec": {**old["spec"], "infrastructure": own}}, "test")

    play(controller.reconcile())

    service = api.get("Service", "envoy-gateway-system", SERVICE)
    assert service["metadata"]["annotations"] == {"b": "1", "c": "2"}
    assert service["spec"]["type"] == "ClusterIP"


def test_too_many_or_asked_for_addresses(api: Any, play: Any, controller: EnvoyGateway) -> None:
    """Sixteen addresses fit into a status; those of the spec are shown as they were asked for."""
    play(controller.reconcile())
    balance(api, *({"ip": f"100.64.1.{n}"} for n in range(17)))
    play(controller.reconcile())
    assert conditions(gateway(api))["Programmed"] == ("False", "Invalid")
    assert len(gateway(api)["addresses"]) == 16

    old = api.get("Gateway", "edge", "web")
    asked = [{"type": "IPAddress", "value": "192.168.0.9"}]
    api.apply({**old, "spec": {**old["spec"], "addresses": asked}}, "test")
    play(controller.reconcile())
    assert gateway(api)["addresses"] == asked


def test_a_deleted_gateway_takes_its_service_with_it(
    api: Any, plane: Any, play: Any, controller: EnvoyGateway
) -> None:
    """The Service goes, Envoy serves nothing, the route loses its parent's word."""
    play(controller.reconcile())
    api.delete("Gateway", "edge", "web")

    play(controller.reconcile())

    assert api.get("Service", "envoy-gateway-system", SERVICE) is None
    assert plane.frontends == {}
    assert api.get("HTTPRoute", "apps", "app")["status"]["parents"] == []
