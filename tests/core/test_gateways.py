"""Which device is a gateway's: the cluster's word, the tailnet's facts, and when to refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.carriers.gateways import GatewayDevice, Refusal, ghosts, target_means, unsettled
from tailkeeper.carriers.identity import identify
from tailkeeper.carriers.lookup import Subject, subjects_of
from tailkeeper.carriers.tailnet import Tailnet, address_faults, is_tailnet_address
from tailkeeper.config import ClusterConfig, DeviceName, GatewayConfig, ResolverConfig


NAME = DeviceName("gateway-envoy", "tag:k8s")
GATEWAY = GatewayConfig("tailscale", "gw", NAME)
RESOLVER = ResolverConfig(
    "dns", "hosts", "hosts", "dns", ("example.com",), device=DeviceName("dns", "tag:k8s")
)
CLUSTER = ClusterConfig("homelab", (GATEWAY,), (RESOLVER,))
OLD, NEW = "100.64.0.1", "100.64.0.2"


def device(node_id: str, address: str, *, name: str = "gateway-envoy", **fields: Any) -> Any:
    """Return a device as the tailnet reader reports it."""
    return {
        "node_id": node_id,
        "name": f"{name}.tail1.ts.net",
        "hostname": "gateway-envoy",
        "addresses": [address, f"fd7a:115c:a1e0::{address.rpartition('.')[2]}"],
        "tags": ["tag:k8s"],
        "connected": True,
        "external": False,
        **fields,
    }


def tailnet(*devices: Any, partial: bool = False, services: Any = ()) -> Tailnet:
    """Return the view of a tailnet with these devices."""
    why = {"devices": "timed out"} if partial else {}
    return Tailnet({"devices": list(devices), "services": list(services), "partial": why})


GHOST = device("old", OLD, connected=False)
LIVE = device("new", NEW, name="gateway-envoy-1")


def service(
    *ingress: dict[str, str], namespace: str = "envoy-gateway-system", **fields: Any
) -> dict[str, Any]:
    """Return the Service that Envoy Gateway made for the Gateway."""
    labels = {
        "gateway.envoyproxy.io/owning-gateway-namespace": "tailscale",
        "gateway.envoyproxy.io/owning-gateway-name": "gw",
    }
    return {
        "metadata": {"namespace": namespace, "name": "envoy", "labels": labels, **fields},
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "tailscale"},
        "status": {"loadBalancer": {"ingress": list(ingress)}},
    }


def secret(device_id: str, *, parent: str = "envoy", kind: str = "svc") -> dict[str, Any]:
    """Return the state Secret of the proxy of a Service, as the cluster reader decodes it."""
    return {
        "namespace": "tailscale",
        "name": f"ts-{device_id}-0",
        "labels": {
            "tailscale.com/parent-resource": parent,
            "tailscale.com/parent-resource-ns": "envoy-gateway-system",
            "tailscale.com/parent-resource-type": kind,
        },
        "device_id": device_id,
    }


def cluster(
    *secrets: Any, services: Any = None, addresses: Any = (), partial: Any = None, gateway: Any = ()
) -> dict[str, Any]:
    """Return a cluster's observation with the Gateway, its Service and state Secrets."""
    document = {
        "metadata": {"namespace": "tailscale", "name": "gw"},
        "status": {"addresses": list(addresses)},
    }
    return {
        "cluster": "homelab",
        "partial": partial or {},
        "objects": {
            "Gateway": [document] if gateway == () else gateway,
            "Service": [service()] if services is None else services,
            "StateSecret": list(secrets),
        },
    }


UNREAD = cluster(
    services=[],
    gateway=[],
    partial=dict.fromkeys(["Gateway", "Service", "StateSecret"], "connection refused"),
)


def ip(value: str) -> dict[str, str]:
    """Return a Gateway's status address."""
    return {"type": "IPAddress", "value": value}


def subject_of(key: str, cluster: Any, config: ClusterConfig = CLUSTER) -> Subject:
    """Return a configured gateway or resolver, with what the cluster says of it."""
    return next(s for s in subjects_of(config, cluster, {}, ()) if s.key == key)


def carrier(key: str, cluster: Any, view: Tailnet, remembered: Any = ()) -> Any:
    """Return the device of a configured gateway or resolver, or why there is none."""
    subject = subject_of(key, cluster)
    return identify(subject.evidence, subject.configured, view, remembered)


def identified(cluster: Any, tailnet: Tailnet, remembered: Any = ()) -> GatewayDevice:
    """Return the device, which there must be."""
    answer = carrier("tailscale/gw", cluster, tailnet, remembered)
    assert isinstance(answer, GatewayDevice), answer
    return answer


def refused(cluster: Any, tailnet: Tailnet, remembered: Any = ()) -> str:
    """Return why there is no device."""
    answer = carrier("tailscale/gw", cluster, tailnet, remembered)
    assert isinstance(answer, Refusal), answer
    return "; ".join(answer.reasons)


def test_the_state_secret_decides() -> None:
    """A re-registered proxy is followed to its new id, name and addresses in one step."""
    answer = identified(cluster(secret("new")), tailnet(GHOST, LIVE))

    assert answer == GatewayDevice(
        "new",
        "gateway-envoy-1.tail1.ts.net",
        (NEW, "fd7a:115c:a1e0::2"),
        "named by state Secret tailscale/ts-new-0 of Gateway tailscale/gw",
    )


@pytest.mark.parametrize(
    "witness",
    [
        cluster(secret("new"), services=[service({"ip": OLD}, {"hostname": "x.ts.net"})]),
        cluster(secret("new"), addresses=[ip(OLD)]),
        cluster(secret("new"), addresses=[ip("100.64.9.9")]),
        cluster(secret("new"), addresses=[ip(OLD)], services=[service({"ip": NEW})]),
        cluster(addresses=[ip(OLD)], services=[service({"ip": NEW})]),
        cluster(secret("new"), secret("other", parent="dns"), secret("pg", kind="proxygroup")),
        cluster(secret("new"), secret("")),
        cluster(secret("new"), secret("new")),
        cluster(addresses=[ip(NEW)]),
        cluster(services=[service({"hostname": "gateway-envoy-1.tail1.ts.net."}, {"ip": NEW})]),
        cluster(services=[service({"hostname": "Gateway-Envoy-1.tail1.ts.net."})]),
        cluster(addresses=[ip(NEW), {"type": "Hostname", "value": "gateway-envoy.tail1.ts.net"}]),
        cluster(addresses=[ip(NEW), ip("fd7a:115c:a1e0::2")]),
        cluster(addresses=[ip(NEW)], partial={"StateSecret": "forbidden"}),
    ],
)
def test_witnesses_that_lead_to_the_live_device(witness: Any) -> None:
    """A stale status does not outweigh the Secret, and alone a status is enough."""
    assert identified(witness, tailnet(GHOST, LIVE)).node_id == "new"


@pytest.mark.parametrize(
    "witness",
    [
        cluster(secret("new"), partial={"Service": "forbidden"}),
        cluster(addresses=[ip(NEW)], partial={"StateSecret": "forbidden"}),
        cluster(services=[service({"ip": NEW})], partial={"Gateway": "forbidden"}, gateway=[]),
    ],
)
def test_one_witness_of_a_partly_read_cluster(witness: Any) -> None:
    """What could be read is heard before names and memory are asked."""
    twin = device("old", "100.64.0.3")
    assert identified(witness, tailnet(twin, LIVE), ["old"]).node_id == "new"


def test_the_gateway_apis_own_label() -> None:
    """Gateways of other makers label their Service by name, beside the Gateway."""
    own = service({"ip": NEW}, namespace="tailscale")
    own["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "gw"}
    assert identified(cluster(services=[own]), tailnet(LIVE)).node_id == "new"

    own["metadata"]["namespace"] = "elsewhere"
    assert "names no device" in refused(cluster(services=[own]), tailnet(LIVE))


def test_only_a_service_on_the_tailnet_counts() -> None:
    """A second Service of the Gateway, for the LAN, says nothing about its device."""
    lan = service({"ip": "192.168.1.9"})
    lan["spec"] = {"type": "LoadBalancer"}
    exposed = service({"ip": NEW}, annotations={"tailscale.com/expose": "true"})
    exposed["spec"] = {"type": "ClusterIP"}

    assert identified(cluster(services=[lan, exposed]), tailnet(LIVE)).node_id == "new"


@pytest.mark.parametrize(
    ("witness", "devices", "reason"),
    [
        (cluster(gateway=[]), [LIVE], "the cluster has no Gateway tailscale/gw"),
        (cluster(), [LIVE], "names no device of Gateway tailscale/gw yet"),
        (cluster(secret("old")), [GHOST, LIVE], "gateway-envoy.tail1.ts.net (old, offline)"),
        (cluster(secret("gone")), [LIVE], "device gone, named by Secret tailscale/ts-gone-0, is"),
        (cluster(secret("new"), secret("x")), [LIVE], "has two devices: new (Secret"),
        (
            cluster(secret("new"), addresses=[ip(OLD)]),
            [device("old", OLD), LIVE],
            "is carried by two",
        ),
        (
            cluster(addresses=[ip(NEW)], services=[service({"ip": OLD})]),
            [device("old", OLD), LIVE],
            "is carried by two",
        ),
        (
            cluster(services=[service({"ip": NEW}), service({"ip": OLD})]),
            [GHOST, LIVE],
            "is carried by two",
        ),
        (
            cluster(addresses=[ip(NEW)], services=[service({"ip": "100.64.0.9"})]),
            [LIVE],
            "the device at 100.64.0.9",
        ),
        (
            cluster(services=[service({"ip": NEW}, {"ip": "100.64.0.3"})]),
            [LIVE],
            "the status of Service envoy-gateway-system/envoy: there are two IPv4 addresses",
        ),
        (cluster(addresses=[ip(NEW), ip("100.64.0.3")]), [LIVE], "there are two IPv4 addresses"),
        (cluster(addresses=[ip("192.168.1.5")]), [LIVE], "192.168.1.5 is not a tailnet address"),
        (
            cluster(secret("new"), addresses=[ip("192.168.1.5")]),
            [LIVE],
            "192.168.1.5 is not a tailnet address",
        ),
        (cluster(addresses=[ip("2001:db8::1")]), [LIVE], "2001:db8::1 is not a tailnet address"),
        (cluster(addresses=[ip("nonsense")]), [LIVE], "nonsense is not a tailnet address"),
        (cluster(addresses=[ip("100.64.0.9")]), [LIVE], "the device at 100.64.0.9"),
        (
            cluster(secret("new")),
            [{**LIVE, "addresses": [NEW, "100.64.0.9"]}],
            "there are two IPv4 addresses",
        ),
        (cluster(secret("new")), [{**LIVE, "addresses": []}], "has no address"),
        (cluster(secret("new")), [{**LIVE, "addresses": ["10.0.0.1"]}], "10.0.0.1 is not a tail"),
    ],
)
def test_refusals(witness: Any, devices: list[Any], reason: str) -> None:
    """Where the facts do not agree on one live device, nothing may be published."""
    assert reason in refused(witness, tailnet(*devices))


def test_a_device_that_was_not_read() -> None:
    """A short device list is not taken for the whole tailnet."""
    assert refused(cluster(secret("new")), tailnet(partial=True)).endswith(
        "is not among the devices read"
    )
    assert refused(cluster(secret("new")), tailnet()).endswith("is not in the tailnet")


def test_a_tailscale_service_stands_for_the_devices_that_host_it() -> None:
    """A ProxyGroup's virtual address is followed as a device's is."""
    view = tailnet(LIVE, services=[{"name": "svc:web", "addrs": ["100.100.1.1"]}])
    found = identified(cluster(addresses=[ip("100.100.1.1")]), view)
    assert (found.node_id, found.name, found.addresses) == (
        "svc:web",
        "web.tail1.ts.net",
        ("100.100.1.1",),
    )


def test_an_unread_service_is_not_called_absent() -> None:
    """Reading Tailscale Services takes a scope of its own: without it, nothing is proven."""
    view = Tailnet({"devices": [LIVE], "services": [], "partial": {"services": "404"}})
    assert "is not among the devices read" in refused(cluster(addresses=[ip("100.100.1.1")]), view)


@pytest.mark.parametrize(
    ("devices", "remembered", "node_id"),
    [
        ([GHOST, LIVE], ["new"], "new"),
        ([device("old", OLD), LIVE], ["new", "old"], "new"),
        ([device("old", OLD), LIVE], ["old"], "old"),
        ([GHOST, LIVE], ["old"], "new"),
        ([GHOST, LIVE], [], "new"),
        ([LIVE, device("x", OLD, hostname="gateway-envoy-1")], [], "new"),
        ([LIVE, device("x", OLD, tags=["tag:other"])], [], "new"),
        ([LIVE, device("x", OLD, external=True)], [], "new"),
    ],
)
def test_without_the_cluster(devices: list[Any], remembered: list[str], node_id: str) -> None:
    """The remembered device while it lives; else the only live one of that very hostname."""
    assert identified(UNREAD, tailnet(*devices), remembered).node_id == node_id


@pytest.mark.parametrize(
    ("devices", "partial", "reason"),
    [
        ([], False, "connected devices called gateway-envoy: none"),
        ([GHOST], False, "called gateway-envoy: none"),
        ([device("a", OLD), LIVE], False, "gateway-envoy-1.tail1.ts.net (new, connected)"),
        ([LIVE], True, "and neither were all devices"),
    ],
)
def test_refusals_without_the_cluster(devices: list[Any], partial: bool, reason: str) -> None:  # noqa: FBT001 - a table
    """A name decides only when it is certain that nobody else has it."""
    text = refused(UNREAD, tailnet(*devices, partial=partial))
    assert reason in text
    assert "Gateway tailscale/gw was not read (Gateway: connection refused" in text


def test_a_remembered_device_in_a_short_list() -> None:
    """To see the remembered device connected is enough, whatever the list lacks."""
    assert identified(UNREAD, tailnet(LIVE, partial=True), ["new"]).why.startswith("remembered")


def test_without_cluster_or_configured_name() -> None:
    """A gateway whose device has no configured name is known by the cluster only."""
    answer = identify(subject_of("tailscale/gw", UNREAD).evidence, None, tailnet(LIVE))
    assert isinstance(answer, Refusal)
    assert "hostname is not configured" in answer.reasons[0]


def test_a_resolver_by_the_same_rules() -> None:
    """The resolver's Service leads to its device as a Gateway's does."""
    dns = {
        "metadata": {"namespace": "dns", "name": "dns"},
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "tailscale"},
        "status": {"loadBalancer": {"ingress": [{"hostname": "dns.ts.net"}, {"ip": NEW}]}},
    }
    view = tailnet(device("d", NEW, name="dns", hostname="dns"))

    answer = carrier("dns/dns", cluster(services=[dns]), view)
    assert isinstance(answer, GatewayDevice)
    assert answer.addresses[0] == NEW

    missing = carrier("dns/dns", cluster(services=[]), view)
    assert missing == Refusal(("the cluster has no Service dns/dns",))


def test_ghosts_are_the_offline_twins() -> None:
    """Only our own offline devices of that hostname and tag are ghosts, never the gateway."""
    others = [
        device("dns", "100.64.0.5", hostname="dns", connected=False),
        device("far", "100.64.0.6", external=True, connected=False),
        device("alive", "100.64.0.7"),
    ]
    view = tailnet(GHOST, LIVE, *others)
    own = identified(cluster(secret("new")), view)

    assert [ghost.node_id for ghost in ghosts(NAME, own, view)] == ["old"]
    assert ghosts(None, own, view) == ()
    assert ghosts(NAME, Refusal(("offline",)), view) == ()


@pytest.mark.parametrize(
    ("target", "devices", "expected"),
    [
        ("gateway-envoy-1.tail1.ts.net", [GHOST, LIVE], "own"),
        ("Gateway-Envoy.tail1.ts.net.", [GHOST, LIVE], "own"),
        ("gateway-envoy-7.tail1.ts.net", [LIVE], "own"),
        ("nas.tail1.ts.net", [LIVE, device("nas", OLD, name="nas")], "literal"),
        ("nas.tail1.ts.net", [LIVE, device("nas", OLD, name="nas", connected=False)], "own"),
        ("gateway-envoy.tail1.ts.net", [device("old", OLD), LIVE], "own"),
        ("web.tail1.ts.net", [LIVE], "literal"),
        ("gateway-envoy-1.other.ts.net", [LIVE], "literal"),
        ("tail1.ts.net.example.com", [LIVE], "literal"),
        ("lb.example.com", [LIVE], "literal"),
        ("100.64.0.2", [LIVE], "literal"),
    ],
)
def test_what_a_target_means(target: str, devices: list[Any], expected: str) -> None:
    """A MagicDNS name frozen in git means the Gateway's own device, unless it is another's."""
    view = tailnet(*devices, services=[{"name": "svc:web", "addrs": []}])
    assert target_means(target, {"new", "old"}, view) == expected


def test_a_target_that_cannot_be_told() -> None:
    """Where the read is short, an unknown name may be anybody's."""
    short = tailnet(LIVE, partial=True)
    assert target_means("nas.tail1.ts.net", {"new"}, short) == "unknown"
    assert target_means("gateway-envoy-1.tail1.ts.net", {"new"}, short) == "own"
    assert target_means("nas.tail1.ts.net", {"new"}, tailnet(partial=True)) == "unknown"
    assert target_means("lb.example.com", {"new"}, tailnet(partial=True)) == "literal"


LIVE_TEXT = "gateway-envoy-1.tail1.ts.net (new, connected)"
OLD_TEXT = "gateway-envoy.tail1.ts.net (old, connected)"
SUBJECT = "Gateway tailscale/gw"
YET = ", which does not name it yet"
DNS_DEVICE = device("d", "100.64.0.5", name="dns", hostname="dns")


@pytest.mark.parametrize(
    ("witness", "devices", "nodes", "reasons"),
    [
        (cluster(secret("new")), [GHOST, LIVE], ["new"], []),
        (cluster(secret("new")), [GHOST, LIVE], [], []),
        (
            cluster(secret("old")),
            [GHOST, LIVE],
            ["new"],
            [
                f"{LIVE_TEXT} looks like Gateway tailscale/gw's{YET}",
                "Gateway tailscale/gw names gateway-envoy.tail1.ts.net (old, offline)",
            ],
        ),
        (
            cluster(secret("old")),
            [LIVE],
            [],
            ["Gateway tailscale/gw names old, which is not in the tailnet"],
        ),
        (
            cluster(),
            [LIVE],
            ["new"],
            [f"{LIVE_TEXT} looks like Gateway tailscale/gw's{YET}"],
        ),
        (cluster(), [LIVE], [], []),
        (cluster(addresses=[ip(NEW)]), [LIVE], ["new"], []),
        (
            cluster(addresses=[ip(OLD)]),
            [GHOST],
            [],
            ["Gateway tailscale/gw names gateway-envoy.tail1.ts.net (old, offline)"],
        ),
        (
            cluster(secret("new")),
            [LIVE, DNS_DEVICE],
            ["d"],
            [f"dns.tail1.ts.net (d, connected) looks like Service dns/dns's{YET}"],
        ),
        (cluster(secret("new")), [LIVE, device("x", OLD, tags=["tag:x"])], ["x"], []),
        (UNREAD, [GHOST, LIVE], ["new"], []),
        (cluster(secret("new"), addresses=[ip(OLD)]), [GHOST, LIVE], ["new"], []),
        (
            cluster(secret("new"), addresses=[ip(OLD)]),
            [device("old", OLD), LIVE],
            ["new"],
            [f"{SUBJECT} names new, and by the status of {SUBJECT}, {OLD_TEXT}"],
        ),
    ],
)
def test_settling(witness: Any, devices: list[Any], nodes: list[str], reasons: list[str]) -> None:
    """It is worth looking again while the cluster lags behind the tailnet, and only then."""
    found = [
        reason
        for subject in subjects_of(CLUSTER, witness, {}, ())
        if not subject.evidence.unread
        for reason in unsettled(subject.evidence, subject.asked, tailnet(*devices), nodes)
    ]

    assert found == reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100.64.0.0", True),
        ("100.127.255.255", True),
        ("100.63.255.255", False),
        ("100.128.0.0", False),
        ("fd7a:115c:a1e0::1", True),
        ("fd7a:115c:a1e1::1", False),
        ("192.168.0.1", False),
        ("gateway", False),
        ("", False),
    ],
)
def test_tailnet_addresses(text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """Only Tailscale's own ranges are tailnet addresses."""
    assert is_tailnet_address(text) is expected


def test_one_address_of_a_family() -> None:
    """One of each family is right, two of one are not, and a foreign one is named first."""
    assert address_faults(["100.64.0.1", "fd7a:115c:a1e0::1"]) == ()
    assert address_faults([]) == ()
    (fault,) = address_faults(["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::2"])
    assert fault.startswith("there are two IPv6 addresses")
    assert address_faults(["100.64.0.1", "100.64.0.2", "10.0.0.1"]) == (
        "10.0.0.1 is not a tailnet address",
    )
