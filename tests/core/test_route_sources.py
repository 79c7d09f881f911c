"""Exposures of routes, by the documented rules of ExternalDNS's gateway sources."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.config import ClusterConfig, Config, GatewayConfig
from tests.support.routes import (
    ALPHA,
    CONFIG,
    EXPOSE,
    NEWER,
    condition,
    found,
    gateway,
    hosts,
    listener,
    parent,
    route,
)


def test_an_exposure_says_where_it_comes_from() -> None:
    """A plain route becomes one exposure with all that planning and probing need."""
    annotations = {**EXPOSE, f"{ALPHA}ttl": "2m", f"{ALPHA}cloudflare-proxied": "false"}

    (exposure,) = found(gateway(), route("App.example.com", annotations=annotations)).exposures

    assert exposure.host == "app.example.com"
    assert exposure.source == "httproute/media/app"
    assert exposure.cluster == "homelab"
    assert exposure.gateway == "infra/gw"
    assert (exposure.port, exposure.protocol) == (443, "https")
    assert exposure.target is None
    assert (exposure.ttl, exposure.proxied) == (120, False)
    assert exposure.published
    assert exposure.views == ("public", "tailnet")


@pytest.mark.parametrize(
    ("listeners", "hostnames", "expected"),
    [
        ([listener()], ["app.example.com"], ["app.example.com"]),
        ([listener()], ["a.example.com", "b.example.com"], ["a.example.com", "b.example.com"]),
        ([listener()], ["deep.app.example.com"], ["deep.app.example.com"]),
        ([listener()], ["example.com"], []),
        ([listener()], ["app.example.org"], []),
        ([listener()], ["*.app.example.com"], ["*.app.example.com"]),
        ([listener(hostname="app.example.com")], ["*.example.com"], ["app.example.com"]),
        ([listener(hostname="app.example.com")], [], ["app.example.com"]),
        ([listener()], [], ["*.example.com"]),
        ([listener(hostname=None)], [], []),
        ([listener(hostname=None)], ["app.example.org"], ["app.example.org"]),
        ([listener(hostname="10.0.0.1")], ["app.example.com"], []),
        ([listener(protocol="TLS")], ["app.example.com"], []),
        ([listener(protocol="HTTP", port=80)], ["app.example.com"], ["app.example.com"]),
        (
            [listener(), listener(name="other", hostname="*.example.org")],
            ["a.example.com", "a.example.org"],
            ["a.example.com", "a.example.org"],
        ),
    ],
)
def test_names_are_narrowed_by_listeners(
    listeners: list[Any], hostnames: list[str], expected: list[str]
) -> None:
    """Only where a listener and a route overlap is there a name."""
    discovery = found(gateway(*listeners), route(*hostnames))

    assert hosts(discovery) == expected
    assert bool(discovery.reports) is not bool(expected)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({}, ["https", "http"]),
        ({"sectionName": "https"}, ["https"]),
        ({"sectionName": "http"}, ["http"]),
        ({"sectionName": ""}, ["https", "http"]),
        ({"sectionName": "tls"}, []),
        ({"port": 80}, ["http"]),
        ({"port": 8443}, []),
        ({"sectionName": "https", "port": 80}, []),
        ({"group": "gateway.networking.k8s.io", "kind": "Gateway"}, ["https", "http"]),
        ({"group": "", "kind": "Service"}, []),
        ({"kind": "ListenerSet"}, []),
    ],
)
def test_a_parent_ref_chooses_listeners(ref: dict[str, Any], expected: list[str]) -> None:
    """Section and port choose; of two listeners with one name the encrypted one is probed."""
    both = gateway(listener(), listener(name="http", protocol="HTTP", port=80))

    discovery = found(both, route("app.example.com", refs=[parent(**ref)]))

    assert [exposure.protocol for exposure in discovery.exposures] == expected[:1]


@pytest.mark.parametrize(
    ("allowed", "namespace", "expected"),
    [
        ({"namespaces": {"from": "All"}}, "media", True),
        ({"namespaces": {"from": "Same"}}, "media", False),
        ({"namespaces": {"from": "Same"}}, "infra", True),
        (None, "infra", True),
        (None, "media", False),
        ({"namespaces": {"from": "None"}}, "infra", False),
        (
            {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"open": "yes"}}}},
            "media",
            True,
        ),
        (
            {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"open": "no"}}}},
            "media",
            False,
        ),
        ({"namespaces": {"from": "Selector", "selector": {}}}, "infra", True),
        ({"namespaces": {"from": "Selector"}}, "media", False),
        (
            {
                "namespaces": {
                    "from": "Selector",
                    "selector": {"matchExpressions": [{"key": "open", "operator": "Like"}]},
                }
            },
            "media",
            False,
        ),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute"}]}, "media", True),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "TCPRoute"}]}, "media", False),
        (
            {"namespaces": {"from": "All"}, "kinds": [{"group": "x", "kind": "HTTPRoute"}]},
            "media",
            False,
        ),
    ],
)
def test_allowed_routes(allowed: Any, namespace: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """A listener lets in its own namespace, all, or those with the labels it selects."""
    one = gateway(listener(allowedRoutes=allowed))

    assert bool(hosts(found(one, route("a.example.com", namespace=namespace)))) is expected


@pytest.mark.parametrize(
    ("conditions", "exposed", "kept"),
    [
        ([condition()], True, False),
        ([condition(observedGeneration=None)], True, False),
        ([condition(observedGeneration=1)], False, True),
        ([condition("False", reason="NotAllowedByListeners")], False, False),
        ([condition("False", observedGeneration=1)], False, True),
        ([{**condition(), "type": "ResolvedRefs"}], False, True),
        ([], False, True),
    ],
)
def test_only_what_is_accepted_now(conditions: list[Any], exposed: bool, kept: bool) -> None:  # noqa: FBT001 - a table
    """A refused route is no exposure; one that is not judged yet is neither in nor gone."""
    discovery = found(gateway(), route("app.example.com", conditions=conditions))

    assert bool(discovery.exposures) is exposed
    assert discovery.kept_hosts == ({"app.example.com"} if kept else set())


def test_what_is_kept_includes_the_listeners_own_names() -> None:
    """A route without hostnames that waits for judgement keeps the listener's name."""
    waiting = route(conditions=[condition(observedGeneration=1)])

    assert found(gateway(), waiting).kept_hosts == {"*.example.com"}


@pytest.mark.parametrize(
    ("document", "why", "kept"),
    [
        (route("a.example.com", refs=[]), "it names no parent", False),
        (route("a.example.com", judged=[]), "no Gateway has judged it yet", True),
        (
            route("a.example.com", judged=[parent("other")]),
            "no Gateway has judged it yet",
            True,
        ),
        (route("a.example.com", refs=[parent("gone")]), "Gateway infra/gone was not found", False),
        (
            route("a.example.com", refs=[parent("second")]),
            "Gateway infra/second is not in the configuration",
            True,
        ),
        (
            route("a.example.com", refs=[parent(kind="Service", group="")]),
            "its parent Service infra/gw is no Gateway",
            False,
        ),
        (
            route("a.example.com", conditions=[condition("False", reason="NoMatchingParent")]),
            "Gateway infra/gw does not accept it: NoMatchingParent",
            False,
        ),
        (
            route("a.example.com", conditions=[condition(observedGeneration=1)]),
            "Gateway infra/gw has judged its generation 1, not 2",
            True,
        ),
        (
            route("a.example.org", refs=[parent(sectionName="https")]),
            "Gateway infra/gw does not serve its names on section https",
            False,
        ),
    ],
)
def test_what_is_left_out_is_reported(document: dict[str, Any], why: str, kept: bool) -> None:  # noqa: FBT001 - a table
    """A person can read why a route has no record, and the guard what it proves."""
    discovery = found(gateway(), gateway(name="second"), document)

    (report,) = discovery.reports
    assert discovery.exposures == ()
    assert (report.source, report.why, report.kept) == ("httproute/media/app", why, kept)
    assert bool(discovery.kept_hosts) is kept


def test_several_gateways() -> None:
    """A route on two followed Gateways is exposed by both, and one refusal spoils only itself."""
    config = Config(
        clusters=(
            ClusterConfig("homelab", (GatewayConfig("infra", "gw"), GatewayConfig("infra", "b"))),
        ),
        zones=CONFIG.zones,
    )
    both = route("app.example.com", refs=[parent(), parent("b")])

    discovery = found(gateway(), gateway(name="b"), both, config=config)
    assert [exposure.gateway for exposure in discovery.exposures] == ["infra/b", "infra/gw"]

    both["status"]["parents"][1]["conditions"] = [condition("False", reason="Pending")]
    discovery = found(gateway(), gateway(name="b"), both, config=config)
    assert [exposure.gateway for exposure in discovery.exposures] == ["infra/gw"]
    assert [report.why for report in discovery.reports] == [
        "Gateway infra/b does not accept it: Pending"
    ]


@pytest.mark.parametrize("prefix", [ALPHA, NEWER])
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, ["note.example.com", "other.example.com", "spec.example.com"]),
        ("nonsense", ["note.example.com", "other.example.com", "spec.example.com"]),
        ("annotation-only", ["note.example.com", "other.example.com"]),
        ("Annotation-Only", ["note.example.com", "other.example.com"]),
        ("defined-hosts-only", ["spec.example.com"]),
    ],
)
def test_hostname_annotations(prefix: str, source: str | None, expected: list[str]) -> None:
    """The annotation adds names, and gateway-hostname-source says which of the two count."""
    annotations = {f"{prefix}hostname": "note.example.com, other.example.com."}
    if source:
        annotations[f"{prefix}gateway-hostname-source"] = source

    assert hosts(found(gateway(), route("spec.example.com", annotations=annotations))) == expected


def test_a_route_without_names_and_defined_hosts_only() -> None:
    """A catch-all redirect can say that it publishes nothing."""
    annotations = {f"{ALPHA}gateway-hostname-source": "defined-hosts-only"}
    assert hosts(found(gateway(), route(annotations=annotations))) == []


def test_the_newer_prefix_wins() -> None:
    """Where both prefixes are used for one thing, the newer one counts."""
    annotations = {f"{ALPHA}ttl": "60", f"{NEWER}ttl": "120"}
    (exposure,) = found(gateway(), route("a.example.com", annotations=annotations)).exposures
    assert exposure.ttl == 120


@pytest.mark.parametrize(
    ("host", "annotations", "published"),
    [
        ("app.example.com", EXPOSE, True),
        ("app.example.com", {}, False),
        ("app.example.com", {f"{ALPHA}expose": "false"}, False),
        ("app.example.com", {f"{NEWER}expose": "true"}, False),
        ("app.example.org", EXPOSE, False),
        ("app.example.com", {**EXPOSE, f"{ALPHA}controller": "dns-controller"}, True),
        ("app.example.com", {**EXPOSE, f"{ALPHA}controller": "somebody"}, False),
    ],
)
def test_what_is_not_published_is_still_exposed(
    host: str,
    annotations: dict[str, str],
    published: bool,  # noqa: FBT001 - a table
) -> None:
    """The filter decides about the zone; the resolver answers for every accepted name."""
    anything = gateway(listener(hostname=None))

    (exposure,) = found(anything, route(host, annotations=annotations)).exposures

    assert exposure.published is published
    assert exposure.views == (("public", "tailnet") if published else ("tailnet",))


@pytest.mark.parametrize(
    ("annotations", "ttl", "proxied", "reports"),
    [
        ({f"{ALPHA}ttl": "600"}, 600, None, 0),
        ({f"{ALPHA}ttl": "1h"}, 3600, None, 0),
        ({f"{ALPHA}ttl": "1.9s"}, 1, None, 0),
        ({f"{ALPHA}ttl": "+60"}, 60, None, 0),
        ({f"{ALPHA}ttl": "0"}, None, None, 0),
        ({f"{ALPHA}ttl": "soon"}, None, None, 1),
        ({f"{ALPHA}ttl": "++60"}, None, None, 1),
        ({f"{ALPHA}gateway-hostname-source": "spec"}, None, None, 1),
        ({f"{ALPHA}ttl": "-5"}, None, None, 1),
        ({f"{ALPHA}ttl": "2147483647"}, 2_147_483_647, None, 0),
        ({f"{ALPHA}ttl": "2147483648"}, None, None, 1),
        ({f"{ALPHA}cloudflare-proxied": "True"}, None, True, 0),
        ({f"{ALPHA}cloudflare-proxied": "f"}, None, False, 0),
        ({f"{ALPHA}cloudflare-proxied": "maybe"}, None, None, 1),
        ({f"{ALPHA}target": "elsewhere.example.org"}, None, None, 1),
        ({f"{ALPHA}controller": "dns-controller"}, None, None, 0),
        ({f"{ALPHA}controller": "somebody"}, None, None, 1),
        ({f"{ALPHA}controller": ""}, None, None, 1),
        ({f"{NEWER}set-identifier": "a"}, None, None, 1),
        ({"tailkeeper.dev/target": "alias"}, None, None, 1),
        ({"tailkeeper.dev/views": "cluster"}, None, None, 1),
    ],
)
def test_other_annotations(
    annotations: dict[str, str],
    ttl: int | None,
    proxied: bool | None,  # noqa: FBT001 - a table
    reports: int,
) -> None:
    """What cannot be read is reported and ignored; the route is exposed all the same."""
    discovery = found(gateway(), route("a.example.com", annotations=annotations))

    (exposure,) = discovery.exposures
    assert (exposure.ttl, exposure.proxied, exposure.target) == (ttl, proxied, None)
    assert len(discovery.reports) == reports


def test_the_target_is_the_gateways() -> None:
    """Only a Gateway's target annotation counts, with all its values."""
    annotated = gateway(target="gateway-envoy-1.tail1.ts.net., 100.64.0.9")

    (exposure,) = found(annotated, route("a.example.com")).exposures

    assert exposure.target == "gateway-envoy-1.tail1.ts.net,100.64.0.9"


def test_bad_names_are_reported_and_the_others_stay() -> None:
    """One impossible hostname does not take its route along."""
    discovery = found(gateway(), route("good.example.com", "bad_name.example.com"))

    assert hosts(discovery) == ["good.example.com"]
    assert [report.why for report in discovery.reports] == ["'bad_name.example.com' is no DNS name"]


def test_partial_reads_prove_nothing() -> None:
    """A Gateway or namespace that an incomplete list lacks keeps the route's names."""
    gone = found(route("a.example.com"), partial={"Gateway": "timed out after 500"})
    assert gone.kept_hosts == {"a.example.com"}
    assert gone.partial["httproute"] == "Gateway: timed out after 500"

    selecting = listener(
        allowedRoutes={"namespaces": {"from": "Selector", "selector": {"matchLabels": {"a": "b"}}}}
    )
    unknown = found(gateway(selecting), route("a.example.com", namespace="unread"))
    assert unknown.kept_hosts == {"a.example.com"}


def test_what_goes_with_a_record() -> None:
    """Comment and tags are the provider's; the newer prefix holds for them, too."""
    annotations = {
        f"{NEWER}cloudflare-record-comment": "by hand",
        f"{ALPHA}cloudflare-tags": "team:home, env:lab,team:home",
    }

    (exposure,) = found(gateway(), route("a.example.com", annotations=annotations)).exposures

    assert (exposure.comment, exposure.tags) == ("by hand", ("env:lab", "team:home"))


@pytest.mark.parametrize(
    ("on_route", "on_gateway", "answer"),
    [
        (None, None, ""),
        ("address", None, "address"),
        (None, "address", "address"),
        ("cname", "address", "cname"),
        ("nonsense", "address", "address"),
    ],
)
def test_how_the_zone_answers_is_chosen_by_route_or_gateway(
    on_route: str | None, on_gateway: str | None, answer: str
) -> None:
    """The route's word counts before the Gateway's."""
    front, app = gateway(), route("a.example.com")
    for document, word in ((front, on_gateway), (app, on_route)):
        if word:
            document["metadata"]["annotations"] = {**EXPOSE, "tailkeeper.dev/target": word}

    (exposure,) = found(front, app).exposures

    assert exposure.answer == answer


@pytest.mark.parametrize(
    ("views", "expected", "published"),
    [
        ("public,tailnet", ("public", "tailnet"), True),
        ("tailnet, public", ("public", "tailnet"), True),
        ("tailnet", ("tailnet",), False),
        ("public", ("public",), True),
    ],
)
def test_views_can_be_chosen(views: str, expected: tuple[str, ...], *, published: bool) -> None:
    """Split horizon without a filter: one name, only where it is wanted."""
    annotations = {**EXPOSE, "tailkeeper.dev/views": views}

    (exposure,) = found(gateway(), route("a.example.com", annotations=annotations)).exposures

    assert (exposure.views, exposure.published) == (expected, published)


def test_a_parent_that_has_not_judged_keeps_the_names_asked_for() -> None:
    """F04: the other parent's word is not the whole word."""
    half = route("a.example.com", refs=[parent(), parent("b")], judged=[parent()])

    discovery = found(gateway(listener(hostname="b.example.com")), half)

    assert "Gateway infra/b has not judged it yet" in [r.why for r in discovery.reports]
    assert discovery.kept_hosts == {"a.example.com"}
