"""The other kinds of routes, and ListenerSets between a route and its Gateway."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.routes import ALPHA, condition, found, gateway, hosts, listener, parent, route


LISTENERS = [
    listener(name=protocol.lower(), protocol=protocol, port=port)
    for protocol, port in (("HTTP", 80), ("HTTPS", 443), ("TLS", 8443), ("TCP", 5432), ("UDP", 53))
]


@pytest.mark.parametrize(
    ("kind", "port", "protocol"),
    [
        ("HTTPRoute", 443, "https"),
        ("GRPCRoute", 443, "tls"),
        ("TLSRoute", 8443, "tls"),
        ("TCPRoute", 5432, "tcp"),
    ],
)
def test_each_kind_attaches_to_its_own_protocols(kind: str, port: int, protocol: str) -> None:
    """The encrypted listener is looked at first; what is spoken there follows from the kind."""
    (exposure,) = found(gateway(*LISTENERS), route("a.example.com"), kind=kind).exposures

    assert (exposure.port, exposure.protocol) == (port, protocol)
    assert exposure.source == f"{kind.lower()}/media/app"
    assert exposure.published


@pytest.mark.parametrize(
    ("kind", "listeners", "expected"),
    [
        ("GRPCRoute", [listener(protocol="HTTP", port=80)], "tcp"),
        ("GRPCRoute", [listener(protocol="TLS")], ""),
        ("TLSRoute", [listener()], ""),
        ("TLSRoute", [listener(protocol="TCP")], ""),
        ("TCPRoute", [listener(protocol="TLS")], "tls"),
        ("TCPRoute", [listener()], ""),
        ("UDPRoute", [listener(protocol="UDP")], "udp"),
        ("UDPRoute", [listener(protocol="TCP")], ""),
        ("HTTPRoute", [listener(protocol="TCP")], ""),
    ],
)
def test_other_protocols_do_not_take_it(kind: str, listeners: list[Any], expected: str) -> None:
    """As ExternalDNS has it: HTTP and HTTPS are one, and TCP may come out of TLS."""
    discovery = found(gateway(*listeners), route("a.example.com"), kind=kind)

    assert [exposure.protocol for exposure in discovery.exposures] == [expected] * bool(expected)


@pytest.mark.parametrize(
    ("hostname", "annotation", "expected"),
    [
        (None, "db.example.com, db2.example.com", ["db.example.com", "db2.example.com"]),
        ("db.example.com", None, ["db.example.com"]),
        ("db.example.com", "db.example.com", ["db.example.com"]),
        (None, None, []),
    ],
)
def test_a_tcp_route_takes_names_from_annotation_or_listener(
    hostname: str | None, annotation: str | None, expected: list[str]
) -> None:
    """It has none of its own."""
    tcp = listener(protocol="TCP", port=5432, hostname=hostname)
    app = route(annotations={f"{ALPHA}hostname": annotation} if annotation else {})
    del app["spec"]["hostnames"]

    assert hosts(found(gateway(tcp), app, kind="TCPRoute")) == expected


@pytest.mark.parametrize(
    ("kinds", "kind", "expected"),
    [
        ([{"kind": "TCPRoute"}], "TCPRoute", True),
        ([{"kind": "HTTPRoute"}], "GRPCRoute", False),
        ([{"kind": "HTTPRoute"}, {"kind": "GRPCRoute"}], "GRPCRoute", True),
    ],
)
def test_allowed_kinds(kinds: list[Any], kind: str, *, expected: bool) -> None:
    """A listener that names kinds takes those only."""
    allowed = {"namespaces": {"from": "All"}, "kinds": kinds}
    both = [{**each, "allowedRoutes": allowed} for each in LISTENERS]

    assert bool(hosts(found(gateway(*both), route("a.example.com"), kind=kind))) is expected


def listener_set(*, accepted: str = "True", refused: str = "", **fields: Any) -> dict[str, Any]:
    """Return a ListenerSet of namespace media on the Gateway, with the listeners app and api."""
    entries = [listener(name=name, hostname=f"{name}.example.com") for name in ("app", "api")]
    conditions = [{"type": "Accepted", "status": accepted, **fields}] if accepted else []
    return {
        "metadata": {"namespace": "media", "name": "set", "generation": 3, "annotations": {}},
        "spec": {"parentRef": {"name": "gw", "namespace": "infra"}, "listeners": entries},
        "status": {
            "conditions": conditions,
            "listeners": [
                {"name": name, "conditions": [condition("False" if name == refused else "True")]}
                for name in ("app", "api")
            ],
        },
    }


SERVED = {"app.example.com", "api.example.com"}


@pytest.mark.parametrize(("section", "kept"), [(None, SERVED), ("app", set())])
def test_a_listener_that_nobody_judged_waits(section: str | None, kept: set[str]) -> None:
    """Its names are neither answered nor taken away; a route to another section is not its."""
    made, app = listener_set(), on_set()
    made["status"]["listeners"].pop()
    app["spec"]["hostnames"] = []
    for place in (app["spec"]["parentRefs"][0], app["status"]["parents"][0]["parentRef"]):
        place["sectionName"] = section

    discovery = found(front(), app, ListenerSet=[made])

    assert discovery.kept_hosts == kept
    assert hosts(discovery) == ([] if kept else ["app.example.com"])


def front(rule: Any = None) -> dict[str, Any]:
    """Return the Gateway, which lets in ListenerSets of these namespaces."""
    made = gateway(listener(hostname="other.example.com"))
    made["spec"]["allowedListeners"] = {"namespaces": {"from": "All"} if rule is None else rule}
    return made


def on_set(kind: str = "ListenerSet", group: str = "gateway.networking.k8s.io") -> dict[str, Any]:
    """Return a route whose parent is the ListenerSet."""
    ref = {"group": group, "kind": kind, "name": "set"}
    return route("*.example.com", refs=[ref])


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("ListenerSet", "gateway.networking.k8s.io"),
        ("XListenerSet", "gateway.networking.x-k8s.io"),
    ],
)
def test_a_listener_set_leads_to_its_gateway(kind: str, group: str) -> None:
    """Its listeners narrow the names, its Gateway carries them."""
    objects: Any = {kind: [listener_set()]}
    discovery = found(front(), on_set(kind, group), **objects)

    assert hosts(discovery) == ["api.example.com", "app.example.com"]
    assert {exposure.gateway for exposure in discovery.exposures} == {"infra/gw"}


def test_a_listener_set_may_have_a_target_of_its_own() -> None:
    """Its annotation counts before the Gateway's, as ExternalDNS has it."""
    own = listener_set()
    own["metadata"]["annotations"] = {f"{ALPHA}target": "elsewhere.example.org"}

    discovery = found(front(), on_set(), ListenerSet=[own])

    assert {exposure.target for exposure in discovery.exposures} == {"elsewhere.example.org"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, False),
        ({"from": "None"}, False),
        ({"from": "Same"}, False),
        ({"from": "Selector", "selector": {"matchLabels": {"open": "yes"}}}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"open": "no"}}}, False),
    ],
)
def test_a_gateway_chooses_its_listener_sets(rule: Any, *, expected: bool) -> None:
    """Without a word of its own it takes none."""
    assert bool(hosts(found(front(rule), on_set(), ListenerSet=[listener_set()]))) is expected


def test_a_refused_entry_of_a_listener_set_serves_nothing() -> None:
    """The others do."""
    discovery = found(front(), on_set(), ListenerSet=[listener_set(refused="api")])

    assert hosts(discovery) == ["app.example.com"]


@pytest.mark.parametrize(
    ("sets", "why", "kept"),
    [
        (
            [],
            "ListenerSet media/set was not read, so its names stay as they are",
            {"*.example.com"},
        ),
        ([listener_set(accepted="")], "has not judged ListenerSet media/set yet", SERVED),
        (
            [listener_set(observedGeneration=2)],
            "has judged ListenerSet media/set's generation 2, not 3",
            SERVED,
        ),
        (
            [listener_set(accepted="False", reason="NotAllowed")],
            "does not accept ListenerSet media/set: NotAllowed",
            None,
        ),
    ],
)
def test_what_a_listener_set_leaves_open_is_kept(
    sets: list[Any], why: str, kept: set[str] | None
) -> None:
    """Its names, as its listeners narrow them, are not lost because it cannot be followed."""
    discovery = found(front(), on_set(), ListenerSet=sets)

    (report,) = discovery.reports
    assert why in report.why
    assert discovery.exposures == ()
    assert discovery.kept_hosts == (kept or set())


def test_an_unread_namespace_keeps_a_listener_sets_names() -> None:
    """Whether the Gateway lets it in is then unknown."""
    rule = {"from": "Selector", "selector": {"matchLabels": {"open": "yes"}}}
    elsewhere = listener_set()
    elsewhere["metadata"]["namespace"] = "unread"
    app = on_set()
    app["metadata"]["namespace"] = "unread"

    assert found(front(rule), app, ListenerSet=[elsewhere]).kept_hosts == {"*.example.com"}


def test_a_listener_set_of_a_gateway_that_is_gone() -> None:
    """It leads nowhere; in a partial read, nobody knows."""
    gone = found(on_set(), ListenerSet=[listener_set()])
    unread = found(on_set(), ListenerSet=[listener_set()], partial={"Gateway": "timed out"})

    assert not gone.kept_hosts
    assert unread.kept_hosts == {"*.example.com"}


def test_a_route_may_name_gateway_and_listener_set() -> None:
    """Each is followed for itself."""
    both = on_set()
    both["spec"]["parentRefs"].append(parent())
    both["status"]["parents"].append({"parentRef": parent(), "conditions": [condition()]})

    discovery = found(front(), both, ListenerSet=[listener_set()])

    assert hosts(discovery) == ["api.example.com", "app.example.com", "other.example.com"]
