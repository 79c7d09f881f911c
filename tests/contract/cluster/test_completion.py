"""What manifests leave open: stand-ins with a note each, charts, zones, other people's records."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cluster.charts import Chart, charts
from sandbox.cluster.completion import complete
from sandbox.cluster.documents import documents
from sandbox.cluster.listeners import certificate_in
from sandbox.world.cluster import default_tags, envoy_gateway_namespace
from sandbox.world.zones import (
    elsewhere,
    foreign_records,
    magic_dns_domain,
    unpublished,
    zone_names,
)


if TYPE_CHECKING:
    from sandbox.cluster.certificates import Authority

ROUTES = """
kind: HTTPRoute
metadata: {name: shown, namespace: apps, annotations: {expose: "true"}}
spec:
  parentRefs: [{name: web, namespace: edge}]
  hostnames: [shown.home.example, "*.any.home.example"]
  rules: [{backendRefs: [{name: made, port: 80}, {name: gone, port: 8080}]}]
---
kind: HTTPRoute
metadata: {name: hidden, namespace: apps}
spec:
  parentRefs: [{name: nowhere}]
  hostnames: [docs.home.example]
  rules: [{backendRefs: [{name: far, namespace: other, port: 81}]}]
---
kind: Service
metadata: {name: made, namespace: apps}
spec: {ports: [{port: 80}]}
---
kind: Ingress
metadata: {name: wiki, namespace: apps}
spec:
  defaultBackend: {service: {name: wiki, port: {number: 3000}}}
---
kind: Gateway
metadata: {name: web, namespace: edge}
spec:
  gatewayClassName: eg
  listeners:
  - {hostname: "*.home.example", tls: {certificateRefs: [{name: by-hand}]}}
  - {hostname: "*.issued.example", tls: {certificateRefs: [{name: issued}]}}
---
kind: Certificate
metadata: {name: by-hand, namespace: edge}
spec: {secretName: by-hand, dnsNames: ["*.${DOMAIN}"]}
---
kind: Certificate
metadata: {name: issued, namespace: edge}
spec: {secretName: issued, dnsNames: ["*.issued.example"]}
"""
ARGO = """
kind: Application
metadata: {name: dns, namespace: argocd}
spec:
  source:
    chart: external-dns
    helm: {values: "domainFilters: [home.example]\\nannotationFilter: expose=true"}
  destination: {namespace: external-dns}
---
kind: Application
metadata: {name: both}
spec:
  sources:
  - {chart: gateway-helm, helm: {valuesObject: {a: 1}}}
  - {repoURL: x, ref: values}
  destination: {namespace: envoy}
---
kind: HelmRelease
metadata: {name: operator, namespace: flux}
spec:
  chart: {spec: {chart: tailscale-operator}}
  targetNamespace: tailscale
  values: {proxyConfig: {defaultTags: "tag:web, tag:k8s"}}
"""
EXTERNAL_DNS = """
kind: Deployment
metadata: {name: dns}
spec:
  template:
    spec:
      containers:
      - image: registry.k8s.io/external-dns/external-dns:v0.21.0
        args: [--domain-filter=a.example, --domain-filter=b.example, --annotation-filter=x=y]
"""


def objects(*texts: str) -> list[dict[str, Any]]:
    """Return the documents of these texts as objects."""
    found = [cast("dict[str, Any]", thing) for text in texts for thing in documents(text)]
    return [{"apiVersion": "v1", **thing} for thing in found]


def test_missing_services_and_certificates_are_stood_in_for(authority: Authority) -> None:
    """Each refers to something that a chart would create, and each is told."""
    found = complete(objects(ROUTES, ARGO), authority)

    made = {
        (t["kind"], t["metadata"]["namespace"], t["metadata"]["name"]): t for t in found.objects
    }
    assert set(made) == {
        ("Service", "apps", "gone"),
        ("Service", "other", "far"),
        ("Service", "apps", "wiki"),
        ("Secret", "edge", "by-hand"),
    }
    assert made["Service", "apps", "wiki"]["spec"]["ports"] == [{"name": "port-3000", "port": 3000}]
    assert certificate_in(made["Secret", "edge", "by-hand"]) is not None
    notes = "\n".join(found.notes)
    for told in (
        "Service apps/gone is in no manifest",
        "Secret edge/by-hand is in no manifest",
        "charts are not rendered: external-dns, gateway-helm, tailscale-operator",
        "Gateway edge/web is not served: GatewayClass eg is not declared",
        "HTTPRoute apps/hidden is not served: its Gateway is not declared",
    ):
        assert told in notes
    assert len(found.notes) == 7


SHARED = """
kind: Gateway
metadata: {name: web, namespace: edge}
spec:
  gatewayClassName: eg
  listeners:
  - {hostname: "*.home.example", tls: {certificateRefs: [{name: shared}]}}
  - {hostname: home.example, tls: {certificateRefs: [{name: shared}]}}
  - {tls: {certificateRefs: [{name: any}]}}
"""


def test_a_stand_in_certificate_has_every_name_that_is_served(authority: Authority) -> None:
    """Of each listener that shares it; where a listener serves any name, of the routes."""
    found = complete(objects(SHARED, ROUTES.partition("---")[0]), authority)

    names = {
        thing["metadata"]["name"]: x509.load_pem_x509_certificate(
            b64decode(thing["data"]["tls.crt"])
        )
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
        for thing in found.objects
        if thing["kind"] == "Secret"
    }
    assert names == {
        "shared": ["*.home.example", "home.example"],
        "any": ["shown.home.example", "*.any.home.example"],
    }


def test_charts_are_found_wherever_a_gitops_tool_names_them() -> None:
    """Argo CD's two ways and Flux's, with their values and where they install to."""
    assert list(charts(objects(ARGO))) == [
        Chart(
            "external-dns",
            "Application argocd/dns",
            "external-dns",
            {"domainFilters": ["home.example"], "annotationFilter": "expose=true"},
        ),
        Chart("gateway-helm", "Application default/both", "envoy", {"a": 1}),
        Chart(
            "tailscale-operator",
            "HelmRelease flux/operator",
            "tailscale",
            {"proxyConfig": {"defaultTags": "tag:web, tag:k8s"}},
        ),
    ]
    assert envoy_gateway_namespace(objects(ARGO)) == "envoy"
    assert envoy_gateway_namespace([]) == "envoy-gateway-system"
    assert default_tags(objects(ARGO)) == ("tag:web", "tag:k8s")
    assert default_tags([]) == ("tag:k8s",)


@pytest.mark.parametrize(
    ("texts", "given", "zones"),
    [
        ((ROUTES, ARGO), [], ["home.example"]),
        ((EXTERNAL_DNS,), [], ["a.example", "b.example"]),
        ((ROUTES,), [], ["home.example", "issued.example"]),
        ((ROUTES,), ["Given.example."], ["given.example"]),
        ((), [], []),
    ],
)
def test_zones_come_from_external_dns_else_from_listeners(
    texts: tuple[str, ...], given: list[str], zones: list[str]
) -> None:
    """Whoever keeps the records names the zones best."""
    assert zone_names(objects(*texts), given) == zones


def test_what_is_not_published_belongs_to_others() -> None:
    """The zone begins with a website, mail, and a Pages site for the hidden name."""
    everything = objects(ROUTES, ARGO)

    records = foreign_records("home.example", everything)

    assert unpublished(everything) == ["docs.home.example"]
    assert unpublished(objects(ROUTES)) == []  # without a filter everything is published
    assert {(r["type"], r["name"]) for r in records} == {
        ("A", "home.example"),
        ("MX", "home.example"),
        ("A", "mail.home.example"),
        ("TXT", "home.example"),
        ("CNAME", "docs.home.example"),
    }
    assert list(elsewhere(everything)) == ["docs-home-example.pages.dev"]


@pytest.mark.parametrize(
    ("annotations", "domain"),
    [
        ({"external-dns.alpha.kubernetes.io/target": "gw-1.cat-dog.ts.net"}, "cat-dog.ts.net"),
        ({"external-dns.kubernetes.io/target": "1.2.3.4,gw.x-y.ts.net"}, "x-y.ts.net"),
        ({"note/text": "gw.cat-dog.ts.net"}, "ours.ts.net"),
        ({"a/target": "gw.example.com"}, "ours.ts.net"),
    ],
)
def test_the_tailnet_is_called_as_the_manifests_call_it(
    annotations: dict[str, str], domain: str
) -> None:
    """A frozen target names the tailnet's domain; nothing else does."""
    thing = {"kind": "Gateway", "metadata": {"name": "g", "annotations": annotations}}

    assert magic_dns_domain([thing], "ours.ts.net") == domain


FIELDS = st.sampled_from(
    ["source", "sources", "chart", "helm", "values", "valuesObject", "spec", "destination"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["Application", "HelmRelease"]), JSON)
def test_nonsense_in_unchecked_kinds_is_passed_over(kind: str, spec: Any) -> None:
    """Nobody checks these kinds' fields here, so anything may stand in them."""
    for chart in charts([{"kind": kind, "metadata": {"name": "x"}, "spec": spec}]):
        assert isinstance(chart.name, str)
        assert isinstance(chart.values, dict)
