"""The configuration: read whole or not at all, with every problem said at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import (
    Bridge,
    Budgets,
    ClusterConfig,
    Config,
    ConfigError,
    Credential,
    DeclaredExposure,
    DeviceName,
    GatewayConfig,
    GuardLimits,
    Place,
    Repository,
    ResolverConfig,
    ZoneConfig,
)


GATEWAY = {"namespace": "tailscale", "name": "gw"}
RESOLVER = {
    "namespace": "dns",
    "mode": "hosts",
    "config_map": "tailkeeper-hosts",
    "service": "dns",
    "domains": ["example.com"],
}
ZONE = {"name": "example.com", "owner": "homelab"}
CREDENTIAL = {"name": "operator", "kind": "tailscale-oauth-client", "every": "30d"}


def problems(document: Any) -> list[str]:
    """Return everything that is wrong with a document."""
    with pytest.raises(ConfigError) as raised:
        Config.from_json(document)
    return [str(problem) for problem in raised.value.problems]


def cluster(**parts: Any) -> dict[str, Any]:
    """Return a document with one cluster."""
    return {"clusters": [{"name": "homelab", **parts}]}


def declaring(**parts: Any) -> dict[str, Any]:
    """Return a document with a cluster, a zone and one declared exposure."""
    exposure = {"host": "db.example.com", **parts}
    return {**cluster(gateways=[GATEWAY]), "zones": [ZONE], "exposures": [exposure]}


@pytest.mark.parametrize(
    ("target", "carrier"),
    [
        ("100.64.0.9", None),
        ("pages.example.dev", None),
        ("gateway/tailscale/gw", "tailscale/gw"),
        ("service/apps/db", "service/apps/db"),
        ("ingress/apps/db", "ingress/apps/db"),
        ("proxygroup/kube", "proxygroup/kube"),
    ],
)
def test_a_target_is_literal_or_an_object(target: str, carrier: str | None) -> None:
    """An object's device is followed; the only cluster need not be named."""
    config = Config.from_json(declaring(target=target, protocol="tls", answer="address"))

    (exposure,) = config.exposures
    assert (exposure.carrier, exposure.answer, exposure.protocol) == (carrier, "address", "tls")
    assert config.cluster_of(exposure) == config.clusters[0]
    assert Config.from_json(config.as_json()) == config


def test_the_documented_file_is_read() -> None:
    """The example of the design reads into these values and no others."""
    config = Config.from_json(
        {
            "tailnet": "-",
            "clusters": [
                {
                    "name": "homelab",
                    "gateways": [
                        {**GATEWAY, "device": {"hostname": "gateway-envoy", "tag": "tag:k8s"}}
                    ],
                    "resolvers": [{**RESOLVER, "take_over": False}],
                }
            ],
            "zones": [{**ZONE, "target": "cname", "policy": "sync", "annotation_filter": "a=b"}],
            "exposures": [],
            "bridges": [],
            "repositories": [{"provider": "github", "name": "me/homelab", "paths": ["apps/**"]}],
            "credentials": [
                {
                    **CREDENTIAL,
                    "scopes": ["devices:core"],
                    "destinations": [{"vault": "kv/tailscale/operator"}, {"secret": "a/b"}],
                    "consumers": [{"deployment": "tailscale/operator"}],
                }
            ],
            "guard": {"deletes": 1, "delete_share": 0.3, "protected": []},
            "ghosts": "report",
        }
    )

    device = DeviceName("gateway-envoy", "tag:k8s")
    assert config == Config(
        clusters=(
            ClusterConfig(
                "homelab",
                (GatewayConfig("tailscale", "gw", device),),
                (ResolverConfig("dns", "hosts", "tailkeeper-hosts", "dns", ("example.com",)),),
            ),
        ),
        zones=(ZoneConfig("example.com", "homelab", annotation_filter="a=b"),),
        repositories=(Repository("github", "me/homelab", paths=("apps/**",)),),
        credentials=(
            Credential(
                "operator",
                "tailscale-oauth-client",
                2_592_000,
                scopes=("devices:core",),
                destinations=(Place("vault", "kv/tailscale/operator"), Place("secret", "a/b")),
                consumers=(Place("deployment", "tailscale/operator"),),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "(the whole file) is a list, not a mapping: write it as key: value lines"),
        ({"zone": []}, "zone is unknown: did you mean zones?"),
        ({"zones": {}}, "zones is a mapping, not a list: write it as [{...}]"),
        ({"ghosts": "delete"}, "ghosts is 'delete': use report, remove"),
        ({"ghosts": "remov"}, "ghosts is 'remov': did you mean remove?"),
        ({"guard": {"deletes": -1}}, "guard.deletes is -1: use a number from 0 to 10000"),
        (
            {"guard": {"deletes": 1.5}},
            "guard.deletes is a number, not a whole number: write a whole number from 0",
        ),
        (
            {"guard": {"deletes": True}},
            "guard.deletes is true or false, not a whole number: write a whole number from 0",
        ),
        ({"guard": {"delete_share": 30}}, "guard.delete_share is 30: use a number from 0 to 1"),
        ({"zones": [{**ZONE, "name": "no name"}]}, "zones[0].name is 'no name': write a DNS name"),
        ({"zones": [{"name": "a.b"}]}, "zones[0].owner is missing: add owner: homelab"),
        ({"zones": [{**ZONE, "owner": " "}]}, "zones[0].owner is empty: write owner: homelab"),
        ({"zones": [{**ZONE, "owner": "a,b"}]}, "zones[0].owner is 'a,b': an owner mark holds no"),
        (
            {"zones": [{**ZONE, "annotation_filter": "a in"}]},
            "zones[0].annotation_filter is 'a in'",
        ),
        (
            {"zones": [{**ZONE, "txt_prefix": "a-", "txt_suffix": "-b"}]},
            "zones[0].txt_suffix stands beside txt_prefix: keep one of the two",
        ),
        ({"zones": [ZONE, ZONE]}, "zones[1] repeats example.com: it is zones[0] already; keep one"),
        (
            cluster(gateways=[{**GATEWAY, "device": {"hostname": "gw", "tag": "k8s"}}]),
            "clusters[0].gateways[0].device.tag is 'k8s': write it as tag:k8s",
        ),
        (
            cluster(gateways=[{**GATEWAY, "devcie": {"hostname": "gw", "tag": "tag:k8s"}}]),
            "clusters[0].gateways[0].devcie is unknown: did you mean device?",
        ),
        (
            cluster(gateways=[GATEWAY, GATEWAY]),
            "clusters[0].gateways[1] repeats tailscale/gw: it is gateways[0] already; keep one",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "mode": "zone"}]),
            "clusters[0].resolvers[0].mode is 'zone': use hosts, corefile",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "domains": []}]),
            "clusters[0].resolvers[0].domains is empty: list example.com",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "domains": None}]),
            "clusters[0].resolvers[0].domains is missing: add domains: [example.com]",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "domains": ["example.com", ""]}]),
            "clusters[0].resolvers[0].domains[1] is empty, not text",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "domains": [5]}]),
            "clusters[0].resolvers[0].domains[0] is a whole number, not text: write it as example",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "domains": "example.com"}]),
            "clusters[0].resolvers[0].domains is text, not a list: write it as [example.com]",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "take_over": "yes"}]),
            "clusters[0].resolvers[0].take_over is text, not true or false: write take_over: true",
        ),
        (
            cluster(resolvers=[{**RESOLVER, "upstreams": ["dns.example.com"]}]),
            "clusters[0].resolvers[0].upstreams[0] is 'dns.example.com': write an address",
        ),
        (
            {"exposures": [{"host": "nas.example.org", "target": "100.64.0.9"}]},
            "exposures[0].host has no zone and no resolver: add its domain to zones",
        ),
        (
            declaring(target="deployment/apps/db"),
            "exposures[0].target is 'deployment/apps/db': write it as service/<namespace>/<name>",
        ),
        (
            declaring(target="service/db"),
            "exposures[0].target is 'service/db': write it as service/<namespace>/<name>",
        ),
        (
            declaring(target="gateway/tailscale/other"),
            "exposures[0].target is a Gateway that is not followed: add it to the gateways of",
        ),
        (
            declaring(target="service/apps/db", cluster="lab"),
            "exposures[0].cluster names no cluster: use one of: homelab",
        ),
        (
            declaring(target="service/apps/db", answer="alias"),
            "exposures[0].answer is 'alias': use cname or address",
        ),
        (
            {"bridges": [{"name": "vps", "hops": ["vps.example.com"]}]},
            "bridges[0].hops[0] is 'vps.example.com': write it as host:port",
        ),
        (
            {"repositories": [{"provider": "github", "name": "homelab"}]},
            "repositories[0].name is 'homelab': write it as owner/name",
        ),
        (
            {"repositories": [{"provider": "github", "name": "me/home lab"}]},
            "repositories[0].name is 'me/home lab': write it without blanks",
        ),
        (
            {"repositories": [{"provider": "gitea", "name": "me/homelab", "branch": "a b"}]},
            "repositories[0].branch is 'a b': write it without blanks",
        ),
        (
            {"repositories": [{"provider": "gitlab", "name": "me/homelab", "paths": ["[z-a]"]}]},
            "repositories[0].paths[0] is '[z-a]', no pattern: bad character range z-a",
        ),
        (
            {"credentials": [{**CREDENTIAL, "every": 30}]},
            "credentials[0].every is a whole number, not text: write every: 30d",
        ),
        (
            {"credentials": [{**CREDENTIAL, "every": "30 days"}]},
            "credentials[0].every is '30 days': write it as 30d",
        ),
        (
            {"credentials": [{**CREDENTIAL, "destinations": [{"vault": "a/b", "secret": "c/d"}]}]},
            "credentials[0].destinations[0] names no single place: use one of vault, secret",
        ),
        (
            {"credentials": [{**CREDENTIAL, "destinations": [{"secret": "operator"}]}]},
            "credentials[0].destinations[0].secret is 'operator': write it as namespace/name",
        ),
        (
            {"tailnet": "tskey-api-abc"},
            "tailnet holds a secret: store it in Secrets Manager, never in this file",
        ),
    ],
)
def test_what_is_wrong_is_said(document: Any, expected: str) -> None:
    """One fault makes one sentence: where, what, and what to do."""
    (found,) = problems(document)
    assert found.startswith(expected)


def test_all_problems_are_said_at_once() -> None:
    """Nobody has to start five times to learn of five mistakes."""
    found = problems(
        {
            "zones": [{"name": "a b", "owner": "x=y", "targt": "cname"}],
            "guard": {"deletes": "two"},
            "ghosts": "burn",
        }
    )

    assert [problem.split(" ")[0] for problem in found] == [
        "zones[0].name",
        "zones[0].owner",
        "zones[0].targt",
        "guard.deletes",
        "ghosts",
    ]


def test_bounds_are_inside() -> None:
    """The least and the most are allowed."""
    guard = Config.from_json({"guard": {"deletes": 0, "delete_share": 1}}).guard
    assert guard == GuardLimits(0, 1.0)
    assert (
        Config.from_json({"guard": {"deletes": 10_000, "delete_share": 0}}).guard.deletes == 10_000
    )


def test_a_secret_is_not_repeated_in_the_error() -> None:
    """An error is logged; what was pasted by mistake must not be in it."""
    (found,) = problems({"tailnet": "tskey-api-abc"})
    assert "tskey" not in found


def test_the_corefile_is_the_key_of_its_mode() -> None:
    """Without a word about it, each mode writes the key that it is named after."""
    config = Config.from_json(cluster(resolvers=[{**RESOLVER, "mode": "corefile"}]))
    assert config.clusters[0].resolvers[0].key == "Corefile"


def test_zone_of_prefers_the_longest() -> None:
    """A name in a zone within a zone belongs to the inner one."""
    config = Config(zones=(ZoneConfig("example.com", "a"), ZoneConfig("home.example.com", "b")))

    inner, outer = config.zone_of("x.home.example.com"), config.zone_of("x.example.com")
    assert inner is not None
    assert outer is not None
    assert (inner.owner, outer.owner) == ("b", "a")
    assert config.zone_of("example.org") is None


WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
DOMAIN = WORD.map("{}.example.com".format)
DEVICE = st.none() | st.builds(DeviceName, WORD, WORD.map("tag:{}".format))
SECONDS = st.integers(0, 10**7)
PLACES = st.builds(Place, st.just("secret"), WORD.map("ns/{}".format))
CONFIGS = st.builds(
    Config,
    tailnet=WORD,
    clusters=st.lists(
        st.builds(
            ClusterConfig,
            name=WORD,
            gateways=st.lists(
                st.builds(GatewayConfig, WORD, WORD, DEVICE), unique_by=lambda g: g.key, max_size=2
            ).map(tuple),
            resolvers=st.lists(
                st.builds(
                    ResolverConfig,
                    namespace=WORD,
                    mode=st.sampled_from(["hosts", "corefile"]),
                    config_map=WORD,
                    service=WORD,
                    domains=st.lists(DOMAIN, min_size=1, max_size=2).map(tuple),
                    take_over=st.booleans(),
                    key=WORD,
                    otherwise=st.sampled_from(["public", "nxdomain"]),
                    ttl=st.integers(1, 3600),
                    device=DEVICE,
                ),
                unique_by=lambda r: r.place,
                max_size=2,
            ).map(tuple),
        ),
        unique_by=lambda c: c.name,
        max_size=2,
    ).map(tuple),
    zones=st.just((ZoneConfig("example.com", "me", txt_prefix="x-", ttl=300, proxied=True),)),
    exposures=st.lists(st.builds(DeclaredExposure, DOMAIN, WORD), max_size=2).map(tuple),
    bridges=st.lists(st.builds(Bridge, WORD, st.just(("a:1", "b:2"))), max_size=1).map(tuple),
    credentials=st.lists(
        st.builds(
            Credential, WORD, st.just("vault-token"), SECONDS, destinations=st.tuples(PLACES)
        ),
        max_size=1,
    ).map(tuple),
    guard=st.builds(GuardLimits, st.integers(0, 50), st.floats(0, 1), st.tuples(DOMAIN)),
    budgets=st.builds(Budgets, SECONDS, SECONDS),
    ghosts=st.sampled_from(["report", "remove"]),
)


@given(CONFIGS)
def test_what_is_stored_reads_back(config: Config) -> None:
    """The JSON in SSM is the configuration, whole."""
    assert Config.from_json(json.loads(json.dumps(config.as_json()))) == config
