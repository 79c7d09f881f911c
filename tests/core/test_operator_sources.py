"""Exposures of what the Tailscale operator carries by itself: its four mechanisms."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.carriers.operated import operated_in
from tailkeeper.config import ClusterConfig, Config, ResolverConfig, ZoneConfig
from tailkeeper.sources import Discovery, discover
from tests.support.operated import ALPHA, DOMAIN, api_server, balanced, exposed, ingress, secret


CONFIG = Config(
    clusters=(
        ClusterConfig(
            "lab",
            resolvers=(ResolverConfig("apps", "hosts", "hosts", "names", ("example.com",)),),
        ),
    ),
    zones=(ZoneConfig("example.com", "me"),),
)


def found(config: Config = CONFIG, **objects: Any) -> Discovery:
    """Discover what objects by kind expose."""
    return discover({"cluster": "lab", "partial": {}, "objects": objects}, config)


def told(discovery: Discovery) -> list[tuple[str, int, str]]:
    """Return name, port and protocol of each exposure."""
    return [(e.host, e.port, e.protocol) for e in discovery.exposures]


def whys(discovery: Discovery) -> list[str]:
    """Return the reports' words."""
    return [report.why for report in discovery.reports]


SIX = [
    ("db", "tailnet-db", 5432, "tcp"),
    ("home", "home", 443, "https"),
    ("pgadmin", "pgadmin", 443, "https"),
    ("longhorn", "longhorn", 443, "https"),
    ("traefik", "traefik", 443, "https"),
    ("grafana", "grafana", 443, "https"),
]


@pytest.mark.parametrize(("name", "hostname", "port", "protocol"), SIX)
def test_a_homelab_that_moved_into_its_tailnet(
    name: str, hostname: str, port: int, protocol: str
) -> None:
    """One database over TCP and five web pages, each by its own name and nowhere else."""
    fqdn = f"{hostname}.{DOMAIN}"
    database = balanced(
        "db",
        {"port": 5432, "protocol": "TCP", "targetPort": 5432},
        ingress=[{"hostname": f"tailnet-db.{DOMAIN}"}, {"ip": "100.64.0.5"}],
        ts_hostname="tailnet-db",
        ts_tags="tag:k8s,tag:db",
    )
    pages = [
        ingress(page, f"{label}.{DOMAIN}", tls=label, ts_tags="tag:internal-apps")
        for page, label, _, spoken in SIX
        if spoken == "https"
    ]

    discovery = found(Service=[database], Ingress=pages)

    kind = "service" if name == "db" else "ingress"
    (exposure,) = [e for e in discovery.exposures if e.source == f"{kind}/apps/{name}"]
    assert (exposure.host, exposure.port, exposure.protocol) == (fqdn, port, protocol)
    assert (exposure.gateway, exposure.cluster) == (f"{kind}/apps/{name}", "lab")
    assert (exposure.views, exposure.published) == (("tailnet",), False)
    assert len(discovery.exposures) == len(SIX)
    assert discovery.operated[f"{kind}/apps/{name}"].hostname == hostname


@pytest.mark.parametrize(
    ("kind", "document", "hostname"),
    [
        ("Service", balanced("web"), "apps-web"),
        ("Service", balanced("web", ts_hostname="front"), "front"),
        ("Service", exposed("web"), "apps-web"),
        ("Ingress", ingress("web"), "apps-web-ingress"),
        ("Ingress", ingress("web", tls="home.example.com"), "home"),
        ("ProxyGroup", api_server("kube"), "kube"),
        ("ProxyGroup", api_server("kube", kubeAPIServer={"hostname": "cluster"}), "cluster"),
    ],
)
def test_default_names(kind: str, document: dict[str, Any], hostname: str) -> None:
    """What the operator will call the device, by its documented rules."""
    (item,) = operated_in({"objects": {kind: [document]}})

    assert item.hostname == hostname


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{"port": 5432}], [(5432, "tcp")]),
        ([{"port": 80, "name": "http"}, {"port": 22}], [(80, "http"), (22, "tcp")]),
        ([{"port": 22}, {"port": 9, "appProtocol": "http"}], [(9, "http"), (22, "tcp")]),
        ([{"port": 443, "name": "https"}], [(443, "tcp")]),
        ([{"port": 53, "protocol": "UDP"}, {"port": 53}], [(53, "tcp"), (53, "udp")]),
        ([{"port": 9000, "appProtocol": "kubernetes.io/h2c"}], [(9000, "tcp")]),
    ],
)
def test_ports_and_protocols(ports: list[Any], expected: list[tuple[int, str]]) -> None:
    """HTTP where somebody says so; by a name of the tailnet no Service can show a certificate."""
    one = balanced("web", *ports, ingress=[{"hostname": f"web.{DOMAIN}"}])

    assert [(port, protocol) for _, port, protocol in told(found(Service=[one]))] == expected


def test_a_named_service_is_looked_at_as_it_says() -> None:
    """With a name of its own in a zone, it may well have the certificate."""
    ports: list[Any] = [{"port": 443, "name": "https"}, {"port": 25}]
    mail = balanced("mail", *ports, dns_hostname="mail.example.com")

    assert told(found(Service=[mail])) == [
        ("mail.example.com", 443, "https"),
        ("mail.example.com", 25, "tcp"),
    ]


def test_an_exposed_service_gets_its_name_from_the_state_secret() -> None:
    """Its status has none."""
    said = secret("web", "n1", fqdn=f"web.{DOMAIN}")

    assert told(found(Service=[exposed("web")], StateSecret=[said])) == [
        (f"web.{DOMAIN}", 80, "tcp")
    ]


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("Service", balanced("web")),
        ("Service", exposed("web")),
        ("Ingress", ingress("web", tls="web")),
        ("ProxyGroup", api_server("kube")),
    ],
)
def test_what_has_no_name_yet_is_reported(kind: str, document: dict[str, Any]) -> None:
    """The operator is at work, or waits for somebody."""
    objects: Any = {kind: [document]}
    discovery = found(**objects)

    assert discovery.exposures == ()
    assert whys(discovery) == ["the operator has not given it a name in the tailnet yet"]
    assert discovery.kept_hosts == frozenset()


def test_funnel_is_public() -> None:
    """Everybody reaches it by its name of the tailnet; no zone is written for it."""
    (exposure,) = found(
        Ingress=[ingress("web", f"web.{DOMAIN}", tls="web", ts_funnel="true")]
    ).exposures

    assert (exposure.views, exposure.published) == (("public", "tailnet"), False)


def test_the_api_server_of_a_proxy_group() -> None:
    """By the address in its status; groups of other types expose nothing by themselves."""
    group = api_server("kube", f"https://kube.{DOMAIN}")
    others = [{**group, "spec": {"type": kind}} for kind in ("ingress", "egress")]

    (exposure,) = found(ProxyGroup=[group, *others]).exposures

    assert (exposure.host, exposure.port, exposure.protocol) == (f"kube.{DOMAIN}", 443, "https")
    assert (exposure.source, exposure.gateway) == ("proxygroup/kube", "proxygroup/kube")


@pytest.mark.parametrize(
    ("document", "hosts"),
    [
        (balanced("db", dns_hostname="db.example.com"), ["db.example.com"]),
        (
            exposed("db", dns_hostname="a.example.com, B.example.com."),
            ["a.example.com", "b.example.com"],
        ),
        (balanced("db", dns_hostname="db.example.org"), []),
        (balanced("db", dns_hostname="bad_name.example.com"), []),
    ],
)
def test_hostname_annotations_of_services(document: dict[str, Any], hosts: list[str]) -> None:
    """Names in zones and resolvers that are ours; the device carries them."""
    discovery = found(Service=[document])

    assert [e.host for e in discovery.exposures] == hosts
    assert all(e.published and e.gateway == "service/apps/db" for e in discovery.exposures)


RULE = [{"host": "rule.example.com"}]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ["note.example.com", "rule.example.com", "tls.example.com"]),
        ("annotation-only", ["note.example.com"]),
        ("defined-hosts-only", ["rule.example.com", "tls.example.com"]),
    ],
)
def test_names_of_an_ingress(source: str, expected: list[str]) -> None:
    """Rules, TLS and annotation, by ExternalDNS's ingress-hostname-source."""
    said = {"dns_ingress_hostname_source": source} if source else {}
    page = ingress("a", tls="tls.example.com", rules=RULE, dns_hostname="note.example.com", **said)

    discovery = found(Ingress=[page])

    assert [exposure.host for exposure in discovery.exposures] == expected
    assert any("a certificate for its MagicDNS name only" in why for why in whys(discovery))


def test_all_annotations_count_on_the_object_itself() -> None:
    """The target, too: there is no Gateway to carry it."""
    said = {
        "dns_hostname": "db.example.com",
        "dns_target": f"db.{DOMAIN}",
        "dns_ttl": "60",
        "dns_cloudflare_proxied": "true",
        "dns_cloudflare_record_comment": "ours",
        "dns_cloudflare_tags": "a:b",
        "own_target": "address",
        "own_views": "public",
    }

    discovery = found(Service=[balanced("db", **said)])

    (exposure,) = discovery.exposures
    assert (exposure.target, exposure.ttl, exposure.proxied) == (f"db.{DOMAIN}", 60, True)
    assert (exposure.comment, exposure.tags) == ("ours", ("a:b",))
    assert (exposure.answer, exposure.views) == ("address", ("public",))


def test_another_controllers_service() -> None:
    """Its records are left alone; the tailnet answers for it all the same."""
    discovery = found(Service=[balanced("db", dns_hostname="db.example.com", dns_controller="x")])

    assert [(e.published, e.views) for e in discovery.exposures] == [(False, ("tailnet",))]
    assert "its records are left to the controller x" in whys(discovery)


def lan(kind: str) -> dict[str, Any]:
    """Return a Service or Ingress that the tailnet does not carry, with a name in our zone."""
    said = {f"{ALPHA}hostname": "tv.example.com"}
    metadata = {"namespace": "apps", "name": "tv", "annotations": said}
    spec = {"type": "LoadBalancer"} if kind == "Service" else {"ingressClassName": "nginx"}
    return {"metadata": metadata, "spec": spec, "status": {}}


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_what_the_tailnet_does_not_carry_keeps_its_names(kind: str) -> None:
    """Whoever took over a zone from ExternalDNS loses none of these records."""
    objects: Any = {kind: [lan(kind)]}
    discovery = found(**objects)

    assert not discovery.exposures
    assert discovery.kept_hosts == {"tv.example.com"}
    assert [(report.why, report.told) for report in discovery.reports] == [
        ("the tailnet does not carry it: its names stay", False)
    ]


@pytest.mark.parametrize("annotation", ["tailnet-fqdn", "tailnet-ip"])
def test_egress_is_recognised_and_left_alone(annotation: str) -> None:
    """It leads the other way."""
    out = exposed("out", dns_hostname="out.example.com")
    out["metadata"]["annotations"][f"tailscale.com/{annotation}"] = "db.tail.ts.net"
    silent = exposed("silent")
    silent["metadata"]["annotations"][f"tailscale.com/{annotation}"] = "db.tail.ts.net"

    discovery = found(Service=[out, silent])

    assert whys(discovery) == ["it leads out of the cluster, so it exposes nothing"]
    assert (discovery.exposures, discovery.kept_hosts) == ((), frozenset())


def test_a_headless_service_is_not_carried() -> None:
    """The operator refuses it."""
    headless = balanced("db", dns_hostname="db.example.com")
    headless["spec"]["clusterIP"] = "None"

    assert found(Service=[headless]).operated == {}


def test_what_carries_a_gateway_or_a_resolver_is_no_exposure_of_its_own() -> None:
    """Their names are looked at through them; one that is asked for by annotation counts."""
    status = [{"hostname": f"a.{DOMAIN}"}]
    resolver = balanced("names", ingress=status)
    envoy = balanced("envoy", ingress=status)
    envoy["metadata"]["labels"] = {"gateway.envoyproxy.io/owning-gateway-name": "gw"}
    istio = balanced("istio", ingress=status)
    istio["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "gw"}
    named = balanced("named", ingress=status, dns_hostname="a.example.com")
    named["metadata"]["labels"] = envoy["metadata"]["labels"]

    discovery = found(Service=[resolver, envoy, istio, named])

    assert [exposure.source for exposure in discovery.exposures] == ["service/apps/named"]


@pytest.mark.parametrize("kind", ["Service", "Ingress", "ProxyGroup"])
def test_a_partial_read_is_its_own_kinds(kind: str) -> None:
    """Routes are not doubted because Services were not read, nor the other way round."""
    document = {"cluster": "lab", "partial": {kind: "timed out"}, "objects": {}}

    assert discover(document, CONFIG).partial == {kind.lower(): f"{kind}: timed out"}


def test_where_no_gateway_is_followed_routes_need_not_be_read() -> None:
    """A cluster without the Gateway API has its deletes, too."""
    unread = {"Gateway": "404", "HTTPRoute": "404", "Namespace": "timed out"}

    assert discover({"cluster": "lab", "partial": unread, "objects": {}}, CONFIG).partial == {}
