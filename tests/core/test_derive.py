"""A configuration derived from what a repository says already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cli.config_file import parse_yaml
from tailkeeper.config import (
    ClusterConfig,
    Config,
    DeviceName,
    GatewayConfig,
    ResolverConfig,
    ZoneConfig,
)
from tailkeeper.derive import derive
from tailkeeper.resolver.corefile import server_blocks
from tailkeeper.sources import discover


if TYPE_CHECKING:
    from pathlib import Path


def objects(text: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a YAML stream."""
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.fixture(scope="module")
def homelab(user_repository: Path) -> list[dict[str, Any]]:
    """Return every object of a real GitOps repository."""
    documents = [
        document
        for path in sorted(user_repository.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    return [item for item in documents if isinstance(item, dict) and "kind" in item]


def test_a_real_repository(homelab: list[dict[str, Any]]) -> None:
    """Owner, policy, filter, gateway and resolver are those that the repository runs with."""
    derived = derive(homelab, parse_yaml, cluster="homelab", take_over=True)

    assert derived.config == Config(
        clusters=(
            ClusterConfig(
                "homelab",
                (
                    GatewayConfig(
                        "tailscale", "tailscale-gateway", DeviceName("gateway-envoy", "tag:k8s")
                    ),
                ),
                (
                    ResolverConfig(
                        namespace="tailscale-dns",
                        mode="corefile",
                        config_map="tailscale-dns",
                        service="tailscale-dns",
                        domains=("sudhanva.me",),
                        take_over=True,
                        key="Corefile",
                        device=DeviceName("tailscale-dns", "tag:k8s"),
                    ),
                ),
            ),
        ),
        zones=(
            ZoneConfig(
                "sudhanva.me",
                "homelab",
                annotation_filter="external-dns.alpha.kubernetes.io/expose=true",
                take_over=True,
            ),
        ),
    )
    updater, external_dns = derived.notes
    assert updater.startswith("CronJob tailscale-dns/tailscale-dns-updater (*/10 * * * *) writes")
    assert external_dns.startswith("Application argocd/external-dns runs ExternalDNS as owner")


def test_a_real_repository_exposes_its_routes(homelab: list[dict[str, Any]]) -> None:
    """With every route accepted, `docs.` alone stays out of the zone and in the tailnet."""
    config = derive(homelab, parse_yaml, cluster="homelab").config
    kinds: dict[str, list[Any]] = {}
    for document in homelab:
        kinds.setdefault(document["kind"], []).append(document)
    for route in kinds["HTTPRoute"]:
        accepted = [{"type": "Accepted", "status": "True"}]
        refs = route["spec"]["parentRefs"]
        route["status"] = {"parents": [{"parentRef": r, "conditions": accepted} for r in refs]}

    found = discover({"cluster": "homelab", "objects": kinds}, config)

    assert found.reports == ()
    assert len(found.exposures) == len(kinds["HTTPRoute"])
    unpublished = [exposure.host for exposure in found.exposures if not exposure.published]
    assert unpublished == ["docs.sudhanva.me"]
    assert {e.target for e in found.exposures} == {"gateway-envoy-1.ainu-herring.ts.net"}


GATEWAY = """
kind: Gateway
metadata: {namespace: edge, name: main}
spec:
  gatewayClassName: envoy
  infrastructure: {parametersRef: {kind: EnvoyProxy, name: proxy}}
  listeners: [{name: https, hostname: "*.example.com"}]
---
kind: EnvoyProxy
metadata: {namespace: edge, name: proxy}
spec:
  provider:
    kubernetes:
      envoyService:
        loadBalancerClass: tailscale
        annotations: {tailscale.com/hostname: edge-gw, tailscale.com/tags: "tag:edge,tag:k8s"}
---
"""


PARAMETERS = """
kind: {kind}
metadata: {{namespace: edge, name: parameters}}
spec: {service}
---
kind: GatewayClass
metadata: {{name: other}}
spec: {{parametersRef: {{kind: {kind}, namespace: edge, name: parameters}}}}
---
kind: Gateway
metadata: {{namespace: edge, name: main}}
spec: {{gatewayClassName: other}}
"""
CILIUM = "{service: {loadBalancerClass: tailscale}}"
NGINX = (
    "{kubernetes: {service: {loadBalancerClass: tailscale,"
    " annotations: {tailscale.com/hostname: own}}}}"
)
STATUS = "status: {addresses: [{value: 192.0.2.1}, {type: IPAddress, value: 100.64.0.9}]}\n"


@pytest.mark.parametrize(
    ("text", "device"),
    [
        (GATEWAY, DeviceName("edge-gw", "tag:edge")),
        (GATEWAY.replace(', tailscale.com/tags: "tag:edge,tag:k8s"', ""), "tag:k8s"),
        (GATEWAY.replace("tailscale.com/hostname: edge-gw, ", ""), None),
        (PARAMETERS.format(kind="NginxProxy", service=NGINX), DeviceName("own", "tag:k8s")),
        (PARAMETERS.format(kind="CiliumGatewayClassConfig", service=CILIUM), None),
        (PARAMETERS.format(kind="ConfigMap", service=CILIUM) + STATUS, None),
        (
            """
kind: Gateway
metadata: {namespace: edge, name: main}
spec:
  gatewayClassName: ts
  infrastructure: {annotations: {tailscale.com/hostname: own, tailscale.com/tags: "tag:own"}}
""",
            DeviceName("own", "tag:own"),
        ),
        (
            """
kind: Gateway
metadata: {namespace: edge, name: main}
---
kind: Service
metadata:
  namespace: edge
  name: made
  labels: {gateway.networking.k8s.io/gateway-name: main}
  annotations: {tailscale.com/expose: "true", tailscale.com/hostname: live}
""",
            DeviceName("live", "tag:k8s"),
        ),
        (
            """
kind: Gateway
metadata:
  namespace: edge
  name: main
  annotations: {external-dns.kubernetes.io/target: gw.tail1.ts.net}
""",
            None,
        ),
    ],
)
def test_gateways(text: str, device: DeviceName | str | None) -> None:
    """Hostname and tag come from whatever shapes the Gateway's Service."""
    if isinstance(device, str):
        device = DeviceName("edge-gw", device)

    (cluster,) = derive(objects(text), parse_yaml).config.clusters

    assert cluster.gateways == (GatewayConfig("edge", "main", device),)


def test_the_operators_default_tags() -> None:
    """Without a tags annotation, proxies have the tags of the operator's own values."""
    operator = """
kind: HelmRelease
metadata: {namespace: tailscale, name: operator}
spec:
  chart: {spec: {chart: tailscale-operator}}
  values: {proxyConfig: {defaultTags: "tag:proxy,tag:k8s"}}
"""
    text = GATEWAY.replace(', tailscale.com/tags: "tag:edge,tag:k8s"', "") + operator
    (cluster,) = derive(objects(text), parse_yaml).config.clusters
    assert cluster.gateways[0].device == DeviceName("edge-gw", "tag:proxy")


def test_a_gateway_off_the_tailnet_is_left_out() -> None:
    """A Gateway behind a public load balancer is none of ours, and that is said."""
    derived = derive(objects(GATEWAY.partition("---")[0]), parse_yaml)
    assert derived.config.clusters[0].gateways == ()
    assert derived.notes[0] == "Gateway edge/main is left out: nothing puts it on the tailnet"


COREDNS = """
kind: Deployment
metadata: {{namespace: dns, name: dns}}
spec:
  template:
    metadata: {{labels: {{app: dns, tier: x}}}}
    spec:
      containers:
      - image: registry.example/coredns/coredns:1.13.2
        args: [-conf, /etc/coredns/Corefile]
        volumeMounts:
        - {{name: config, mountPath: /etc/coredns}}
        - {{name: data, mountPath: /etc/coredns/tailkeeper}}
      volumes:
      - name: config
        configMap: {{name: dns-config}}
      - name: data
        configMap: {{name: tailkeeper-hosts}}
---
kind: Service
metadata: {{namespace: dns, name: dns-lb}}
spec: {{type: LoadBalancer, loadBalancerClass: tailscale, selector: {{app: dns}}}}
---
kind: ConfigMap
metadata: {{namespace: dns, name: dns-config}}
data:
  Corefile: |
    {corefile}
"""


def resolvers(corefile: str, text: str = COREDNS) -> tuple[ResolverConfig, ...]:
    """Derive the resolvers of a cluster whose CoreDNS has this Corefile."""
    indented = corefile.strip().replace("\n", "\n    ")
    return derive(objects(text.format(corefile=indented)), parse_yaml).config.clusters[0].resolvers


def test_a_corefile_that_names_a_hosts_file() -> None:
    """A hosts file from a ConfigMap is what we write; the Corefile stays git's."""
    (resolver,) = resolvers(
        """
        example.com:53 {
            hosts /etc/coredns/tailkeeper/names example.com {
                ttl 30
                fallthrough
            }
            forward . 9.9.9.9 /etc/resolv.conf
        }
        """
    )

    assert resolver == ResolverConfig(
        namespace="dns",
        mode="hosts",
        config_map="tailkeeper-hosts",
        service="dns-lb",
        domains=("example.com",),
        key="names",
        upstreams=("9.9.9.9",),
        device=DeviceName("dns-dns-lb", "tag:k8s"),
    )


@pytest.mark.parametrize(
    ("corefile", "domains"),
    [
        (
            'a.com:53 b.com {\n template IN A {\n answer "{{ .Name }} IN A 1"\n }\n}',
            ("a.com", "b.com"),
        ),
        ("a.com {\n hosts {\n 100.64.0.1 x.a.com\n }\n}\n. {\n forward . 1.1.1.1\n}", ("a.com",)),
        ("dns://A.com:5353, b.com. {\n errors\n}", ("a.com", "b.com")),
        ("a.com cluster.local 10.in-addr.arpa {\n errors\n}", ("a.com",)),
        ("a.com {\n hosts /other/hosts\n}", ("a.com",)),
    ],
)
def test_a_corefile_that_is_the_whole_answer(corefile: str, domains: tuple[str, ...]) -> None:
    """Without a hosts file of a ConfigMap, the Corefile itself is what has to be written."""
    (resolver,) = resolvers(corefile)
    assert (resolver.mode, resolver.config_map, resolver.key) == (
        "corefile",
        "dns-config",
        "Corefile",
    )
    assert resolver.domains == domains


@pytest.mark.parametrize(
    ("mount", "key"),
    [
        ("mountPath: /x/names, subPath: list", "list"),
        ("mountPath: /x", "names"),
        ("mountPath: /", ""),
        ("mountPath: /other", ""),
    ],
)
def test_where_a_hosts_file_comes_from(mount: str, key: str) -> None:
    """The file's key is found through mounts of a single key and of a whole ConfigMap."""
    text = COREDNS.replace("mountPath: /etc/coredns/tailkeeper", mount)

    (resolver,) = resolvers("a.com {\n hosts /x/names\n}", text)

    assert resolver.mode == ("hosts" if key else "corefile")
    assert resolver.key == (key or "Corefile")


def test_a_hosts_file_under_another_name() -> None:
    """`items` may show a key under another path, and hide the rest."""
    text = COREDNS.replace(
        "{{name: tailkeeper-hosts}}",
        "{{name: tailkeeper-hosts, items: [{{key: hosts, path: sub/names}}]}}",
    )
    (renamed,) = resolvers("a.com {\n hosts /etc/coredns/tailkeeper/sub/names\n}", text)
    assert (renamed.mode, renamed.key) == ("hosts", "hosts")

    (hidden,) = resolvers("a.com {\n hosts /etc/coredns/tailkeeper/hosts\n}", text)
    assert hidden.mode == "corefile"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loadBalancerClass: tailscale, ", ""),
        ("selector: {{app: dns}}", "selector: {{app: web}}"),
        ("namespace: dns, name: dns-lb", "namespace: other, name: dns-lb"),
        ("coredns/coredns:1.13.2", "coredns/nginx:1"),
    ],
)
def test_what_the_tailnet_does_not_ask(old: str, new: str) -> None:
    """A CoreDNS behind no tailnet Service, such as the cluster's own, is no resolver of ours."""
    assert resolvers("a.com {\n errors\n}", COREDNS.replace(old, new)) == ()


def test_a_take_over_says_what_it_drops() -> None:
    """Blocks beside the domains would be lost, so they are mentioned."""
    text = COREDNS.format(corefile="a.com {\n    }\n    . {\n    }")
    notes = derive(objects(text), parse_yaml).notes
    assert "ConfigMap dns/dns-config: a take-over keeps no other block" in notes


@pytest.mark.parametrize("reload", [True, False])
def test_a_corefile_that_is_never_read_again_is_mentioned(*, reload: bool) -> None:
    """CoreDNS watches its Corefile only with the plugin that does."""
    lines = "    reload\n" if reload else ""
    text = COREDNS.format(corefile=f"a.com {{\n    {lines}    }}")

    notes = derive(objects(text), parse_yaml).notes

    assert any("has no reload: restart dns/" in note for note in notes) != reload


def test_corefile_snippets() -> None:
    """A snippet's lines belong to the block that imports it."""
    (block,) = server_blocks(
        "(common) {\n errors # always\n forward . 1.1.1.1\n}\n\na.com {\n import common\n}\n"
    )
    assert block.domains == ("a.com",)
    assert block.plugins == (("errors",), ("forward", ".", "1.1.1.1"))
    assert block.upstreams == ("1.1.1.1",)


VALUES = """
provider: {name: cloudflare}
sources: [gateway-httproute]
domainFilters: [example.com, example.org.]
annotationFilter: a=b
policy: sync
txtOwnerId: me
txtPrefix: x-
extraArgs: [--txt-wildcard-replacement=any, --cloudflare-proxied]
"""
ZONES = tuple(
    ZoneConfig(
        name,
        "me",
        target="cname",
        annotation_filter="a=b",
        proxied=True,
        txt_prefix="x-",
        txt_wildcard="any",
    )
    for name in ("example.com", "example.org")
)


def indented(text: str, blanks: int) -> str:
    """Return a text's lines moved right."""
    return text.strip().replace("\n", "\n" + " " * blanks)


@pytest.mark.parametrize(
    "text",
    [
        f"""
kind: Application
metadata: {{namespace: argocd, name: dns}}
spec:
  source:
    chart: external-dns
    helm:
      values: |
        {indented(VALUES, 8)}
""",
        f"""
kind: Application
metadata: {{namespace: argocd, name: dns}}
spec:
  sources:
  - {{repoURL: x, ref: values}}
  - path: charts/external-dns
    helm:
      values: "txtOwnerId: other"
      valuesObject:
        {indented(VALUES, 8)}
""",
        f"""
kind: ApplicationSet
metadata: {{namespace: argocd, name: dns}}
spec:
  template:
    spec:
      source:
        chart: external-dns
        helm:
          valuesObject:
            {indented(VALUES, 12)}
""",
        f"""
kind: HelmRelease
metadata: {{namespace: dns, name: dns}}
spec:
  chart: {{spec: {{chart: external-dns}}}}
  values:
    {indented(VALUES, 4)}
""",
        f"""
kind: HelmRelease
metadata: {{namespace: dns, name: dns}}
spec:
  chartRef: {{kind: OCIRepository, name: external-dns}}
  values:
    {indented(VALUES.replace("[--txt-wildcard-replacement=any, --cloudflare-proxied]", ""), 4)}
      txt-wildcard-replacement: any
      cloudflare-proxied: true
""",
        f"""
kind: OCIRepository
metadata: {{namespace: dns, name: cloudflare}}
spec: {{url: "oci://ghcr.io/charts-mirror/external-dns"}}
---
kind: HelmRelease
metadata: {{namespace: dns, name: dns}}
spec:
  chartRef: {{kind: OCIRepository, name: cloudflare}}
  values:
    {indented(VALUES, 4)}
""",
        f"""
kind: Kustomization
metadata: {{name: dns/kustomization.yaml}}
helmCharts:
- {{name: other, valuesInline: {{}}}}
- name: external-dns
  valuesInline:
    {indented(VALUES, 4)}
""",
        f"""
kind: HelmChart
metadata: {{namespace: kube-system, name: dns}}
spec:
  chart: oci://registry.example/charts/external-dns
  valuesContent: |
    {indented(VALUES, 4)}
""",
        """
kind: Deployment
metadata: {namespace: dns, name: external-dns}
spec:
  template:
    spec:
      containers:
      - image: registry.k8s.io/external-dns/external-dns:v0.22.0
        env: [{name: EXTERNAL_DNS_TXT_OWNER_ID, value: me}]
        args:
        - --provider=cloudflare
        - --source=gateway-httproute
        - --domain-filter
        - example.com
        - --domain-filter=example.org
        - --annotation-filter=a=b
        - --txt-prefix=x-
        - --txt-wildcard-replacement=any
        - --cloudflare-proxied
""",
    ],
    ids=[
        *("argo values", "argo sources", "argo set", "flux", "flux ref", "flux repository"),
        *("kustomize", "k3s", "arguments"),
    ],
)
def test_external_dns_wherever_its_settings_stand(text: str) -> None:
    """The same settings make the same zones, whoever installs ExternalDNS."""
    derived = derive(objects(text), parse_yaml)

    assert derived.config.zones == ZONES
    (note,) = derived.notes
    assert "runs ExternalDNS as owner me" in note


RELEASE = """
kind: HelmRelease
metadata: {{namespace: dns, name: dns}}
spec: {{chart: {{spec: {{chart: external-dns}}}}, values: {{{values}}}}}
"""


@pytest.mark.parametrize(
    ("values", "notes"),
    [
        ("provider: aws", ["is left out: its provider is aws", "no ExternalDNS for Cloudflare"]),
        (
            "provider: cloudflare, domainFilters: [a.com], sources: [service, crd]",
            ["names from crd are not read", "each service that the tailnet does not carry keeps"],
        ),
        (
            "provider: cloudflare, domainFilters: [a.com], registry: noop, labelFilter: x=y",
            ["--label-filter is not followed", "registry noop leaves no marks"],
        ),
        ("provider: cloudflare", ["has no domain filter; from the listeners: example.com"]),
        (
            "provider: cloudflare, domainFilters: [a.com], annotationFilter: 'a in'",
            ["left out, because zones[0].annotation_filter is 'a in'"],
        ),
    ],
)
def test_what_cannot_be_followed_is_said(values: str, notes: list[str]) -> None:
    """Nothing is dropped without a word."""
    derived = derive(objects(GATEWAY + RELEASE.format(values=values)), parse_yaml)
    for expected in notes:
        assert any(expected in note for note in derived.notes)


def test_the_chart_deletes_nothing_by_default() -> None:
    """A chart without a policy runs as upsert-only, and without an owner as `default`."""
    values = RELEASE.format(values="provider: cloudflare, domainFilters: [a.com]")
    (zone,) = derive(objects(values), parse_yaml).config.zones
    assert (zone.policy, zone.owner, zone.target) == ("upsert-only", "default", "cname")


def test_values_that_are_no_yaml() -> None:
    """Broken values are a note, not a failure."""
    text = """
kind: Application
metadata: {namespace: argocd, name: dns}
spec: {source: {chart: external-dns, helm: {values: "a: [1"}}}
"""
    derived = derive(objects(text), parse_yaml)
    assert derived.config.zones == ()
    assert derived.notes[0].startswith("Application argocd/dns: its Helm values cannot be read")


def test_nothing_at_all() -> None:
    """An empty directory makes an empty configuration that says what is missing."""
    derived = derive([], parse_yaml, cluster="empty")
    assert derived.config == Config(clusters=(ClusterConfig("empty"),))
    assert derived.notes == (
        "no ExternalDNS for Cloudflare was found, so no zone is kept: add one under zones",
    )
