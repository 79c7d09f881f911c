"""Gateway API's rules: which listener takes which route, and in what order requests match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cluster.attachment import attach, resolve, selects
from sandbox.cluster.envoy_service import service, service_name
from sandbox.cluster.frontends import Match
from sandbox.cluster.gateway_reading import as_http
from sandbox.cluster.hostnames import common, covers
from sandbox.cluster.translation import hosts


LABELS = {"apps": {"kubernetes.io/metadata.name": "apps", "team": "a"}, "other": {}}


def gateway(**listener: Any) -> dict[str, Any]:
    """Return a Gateway in namespace `edge` with two listeners, the first as given."""
    first = {"name": "https", "protocol": "HTTPS", "port": 443, "hostname": "*.home.example"}
    second = {"name": "http", "protocol": "HTTP", "port": 80}
    everywhere = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    return {
        "metadata": {"name": "web", "namespace": "edge"},
        "spec": {"listeners": [first | everywhere | listener, second | everywhere]},
    }


def route(*hostnames: str, namespace: str = "apps", **spec: Any) -> dict[str, Any]:
    """Return an HTTPRoute."""
    meta = {"name": "app", "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": meta, "spec": {"hostnames": list(hostnames), **spec}}


@pytest.mark.parametrize(
    ("listener", "name", "expected"),
    [
        ("", "", ""),
        ("", "a.example", "a.example"),
        ("a.example", "", "a.example"),
        ("a.example", "a.example", "a.example"),
        ("a.example", "b.example", None),
        ("*.example", "a.example", "a.example"),
        ("*.example", "b.a.example", "b.a.example"),
        ("*.example", "example", None),
        ("*.example", "xexample", None),
        ("a.example", "*.example", "a.example"),
        ("*.a.example", "*.example", "*.a.example"),
        ("*.example", "*.a.example", "*.a.example"),
        ("*.a.example", "*.b.example", None),
    ],
)
def test_hostnames_meet_as_the_specification_says(
    listener: str, name: str, expected: str | None
) -> None:
    """The narrower of two that overlap; a wildcard covers any depth, never the apex."""
    assert common(listener, name) == expected


LABEL = st.text("ab", min_size=1, max_size=2)
HOSTNAME = st.builds(
    lambda wild, labels: ("*." if wild else "") + ".".join(labels),
    st.booleans(),
    st.lists(LABEL, min_size=1, max_size=3),
)


@given(HOSTNAME, HOSTNAME)
def test_meeting_does_not_depend_on_the_side(one: str, other: str) -> None:
    """What a listener and a route share is covered by both, whichever is which."""
    met = common(one, other)

    assert met == common(other, one)
    assert met is None or all(side == met or covers(side, met) for side in (one, other))


@pytest.mark.parametrize(
    ("listener", "ref", "names", "reason", "served"),
    [
        ({}, {}, ["a.x.org"], "Accepted", {"http": ("a.x.org",)}),
        ({}, {"port": 443}, ["A.home.example"], "Accepted", {"https": ("a.home.example",)}),
        ({}, {"sectionName": "https"}, [], "Accepted", {"https": ("*.home.example",)}),
        ({}, {"port": 80}, ["x.org"], "Accepted", {"http": ("x.org",)}),
        ({}, {"sectionName": "nope"}, [], "NoMatchingParent", {}),
        ({}, {"sectionName": "https", "port": 80}, [], "NoMatchingParent", {}),
        ({}, {"sectionName": "https"}, ["home.example", "x.org"], "NoMatchingListenerHostname", {}),
        ({"allowedRoutes": {}}, {"sectionName": "https"}, [], "NotAllowedByListeners", {}),
        (
            {"allowedRoutes": {"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]}},
            {"sectionName": "https"},
            [],
            "NotAllowedByListeners",
            {},
        ),
        ({"protocol": "TCP"}, {"sectionName": "https"}, [], "NotAllowedByListeners", {}),
        (
            {
                "allowedRoutes": {
                    "namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}
                }
            },
            {"sectionName": "https"},
            [],
            "Accepted",
            {"https": ("*.home.example",)},
        ),
    ],
)  # fmt: skip
def test_a_parent_is_judged_by_section_port_permission_and_hostname(
    listener: dict[str, Any],
    ref: dict[str, Any],
    names: list[str],
    reason: str,
    served: dict[str, Any],
) -> None:
    """Each obstacle has the reason that Gateway API gives it, in its order."""
    found = attach(route(*names), ref, gateway(**listener), LABELS)

    assert (found.accepted.reason, dict(found.hostnames)) == (reason, served)
    assert found.accepted.true == (reason == "Accepted")


@pytest.mark.parametrize(
    ("term", "labels", "expected"),
    [
        ({"key": "k", "operator": "In", "values": ["a"]}, {"k": "a"}, True),
        ({"key": "k", "operator": "In", "values": ["a"]}, {}, False),
        ({"key": "k", "operator": "NotIn", "values": ["a"]}, {}, True),
        ({"key": "k", "operator": "Exists"}, {"k": ""}, True),
        ({"key": "k", "operator": "DoesNotExist"}, {"k": ""}, False),
    ],
)
def test_label_selectors_select(
    term: dict[str, Any], labels: dict[str, str], *, expected: bool
) -> None:
    """The four operators, with an absent label."""
    assert selects({"matchExpressions": [term]}, labels) is expected


GRANT = {
    "metadata": {"namespace": "shop"},
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "apps"}],
        "to": [{"group": "", "kind": "Service", "name": "api"}],
    },
}


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "web", "port": 80}, "ResolvedRefs"),
        ({"name": "gone", "port": 80}, "BackendNotFound"),
        ({"name": "api", "namespace": "shop", "port": 80}, "ResolvedRefs"),
        ({"name": "web", "namespace": "shop", "port": 80}, "RefNotPermitted"),
        ({"name": "x", "kind": "Backend", "group": "gateway.envoyproxy.io"}, "InvalidKind"),
    ],
)
def test_backends_resolve_or_say_why_not(ref: dict[str, Any], reason: str) -> None:
    """Services of the route's namespace, others by a ReferenceGrant, nothing else."""
    known = {("apps", "web"), ("shop", "api"), ("shop", "web")}

    found = resolve(route(rules=[{"backendRefs": [ref]}]), lambda *name: name in known, [GRANT])

    assert found.reason == reason


def test_requests_match_in_gateway_apis_order() -> None:
    """Exact before prefix, long before short, method, headers, then the older route."""

    def rule(name: str, **match: Any) -> dict[str, Any]:
        return {"matches": [match], "backendRefs": [{"name": name, "port": 80}]}

    young = route(rules=[rule("young")])
    young["metadata"] |= {"name": "a", "creationTimestamp": "2026-02-01T00:00:00Z"}
    old = route(
        rules=[
            rule("old"),
            rule("header", headers=[{"name": "X-Env", "value": "b"}]),
            rule("method", method="GET"),
            rule("long", path={"type": "PathPrefix", "value": "/long"}),
            rule("exact", path={"type": "Exact", "value": "/e"}),
        ]
    )

    found = hosts([(young, ["x.org"], lambda _: True), (old, ["x.org"], lambda _: True)])

    names = [r.backends[0][0] for r in found[0].routes]
    assert [n.removeprefix("apps/").removesuffix(":80") for n in names] == [
        "exact", "long", "method", "header", "old", "young",
    ]  # fmt: skip
    assert found[0].routes[3].match == Match(headers=(("x-env", "b"),))


def test_a_backend_that_does_not_resolve_gets_nothing() -> None:
    """Without a backend left the route answers 500 by itself."""
    found = hosts([(route(rules=[{"backendRefs": [{"name": "x"}]}]), [""], lambda _: False)])

    assert (found[0].name, found[0].routes[0].backends, found[0].routes[0].status) == ("*", (), 500)


def test_the_service_of_a_gateway_is_envoy_gateways() -> None:
    """Name, labels, class, annotations and ports are those that users select it by."""
    proxy = {
        "spec": {
            "provider": {
                "kubernetes": {
                    "envoyService": {
                        "loadBalancerClass": "tailscale",
                        "annotations": {"tailscale.com/hostname": "gateway-envoy"},
                    }
                }
            }
        }
    }
    found = service(gateway(), proxy, namespace="envoy-gateway-system")

    assert service_name("default", "eg") == "envoy-default-eg-e41e7b31"  # Envoy Gateway's docs
    assert found["metadata"]["labels"]["gateway.envoyproxy.io/owning-gateway-name"] == "web"
    assert found["metadata"]["annotations"] == {"tailscale.com/hostname": "gateway-envoy"}
    assert found["spec"]["loadBalancerClass"] == "tailscale"
    assert [(p["name"], p["targetPort"]) for p in found["spec"]["ports"]] == [
        ("http-80", 10080),
        ("https-443", 10443),
    ]


@pytest.mark.parametrize(
    ("method", "kind", "path"),
    [
        (None, "prefix", "/"),
        ({"service": "a.B"}, "prefix", "/a.B"),
        ({"service": "a.B", "method": "C"}, "prefix", "/a.B/C"),
        ({"type": "RegularExpression", "service": "a.*"}, "regex", "/a.*"),
    ],
)
def test_a_grpc_route_is_served_by_its_methods_paths(
    method: dict[str, str] | None, kind: Any, path: str
) -> None:
    """What gRPC calls a method is a path on the wire."""
    rules = [{"matches": [{"method": method} if method else {}], "backendRefs": [{"name": "x"}]}]
    rpc = {**route("rpc.home.example", rules=rules), "kind": "GRPCRoute"}

    (host,) = hosts([(as_http(rpc), ("rpc.home.example",), lambda _: True)])

    assert host.routes[0].match == Match(kind, path)


@pytest.mark.parametrize(
    ("kinds", "accepted"),
    [([], True), ([{"kind": "GRPCRoute"}], True), ([{"kind": "HTTPRoute"}], False)],
)
def test_a_listener_may_choose_grpc_routes(kinds: list[dict[str, str]], *, accepted: bool) -> None:
    """By their kind, as it does HTTPRoutes."""
    allowed = {"namespaces": {"from": "All"}, "kinds": kinds}
    rpc = {**route("rpc.home.example"), "kind": "GRPCRoute"}

    one = attach(rpc, {"name": "web", "sectionName": "https"}, gateway(allowedRoutes=allowed), {})

    assert one.accepted.true is accepted
