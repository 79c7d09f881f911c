"""A cluster's observation: what is kept of each object, and that no secret is."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import Fault
from sandbox.kubernetes.server import Kubernetes
from sandbox.threads import running
from tailkeeper import trims
from tailkeeper.adapters import objects
from tailkeeper.adapters.cluster import Cluster
from tests.support.handlers import kubeconfig


if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = {
    "device_id": "nXYZ",
    "device_fqdn": "gateway-envoy-1.tail.ts.net.",
    "device_ips": '["100.64.0.2","fd7a:115c:a1e0::2"]',
    "_machinekey": "privkey:do-not-read",
}
EXTERNAL_DNS = {
    "containers": [
        {
            "name": "a",
            "image": "registry.k8s.io/external-dns/external-dns:v0.18.0",
            "args": ["--source=ingress", "--txt-owner-id=$(OWNER)", "--zone-id-filter=$(ZONE)"],
            "env": [
                {"name": "EXTERNAL_DNS_DOMAIN_FILTER", "value": "a.example\nb.example"},
                {"name": "OWNER", "value": "homelab"},
                {"name": "ZONE", "valueFrom": {"secretKeyRef": {"name": "s", "key": "zone"}}},
                {"name": "EXTERNAL_DNS_EMPTY"},
            ],
        },
        {"name": "b", "image": "y", "command": ["external-dns", "--policy=sync"]},
    ]
}
WEB = {"containers": [{"name": "a", "image": "registry/web:1", "args": ["--external-dns"]}]}


def manifest(kind: str, name: str, api: str = "v1", **parts: Any) -> dict[str, Any]:
    """Return an object of the namespace `tailscale`."""
    metadata = {"name": name, "namespace": "tailscale", **parts.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def deployment(name: str, pod: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment with two replicas."""
    return manifest(
        "Deployment",
        name,
        "apps/v1",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
        },
    )


GATEWAY_API = "gateway.networking.k8s.io/v1"
MANIFESTS = [
    manifest("Namespace", "tailscale") | {"metadata": {"name": "tailscale"}},
    manifest("Gateway", "gw", GATEWAY_API, spec={"gatewayClassName": "e", "listeners": []}),
    manifest(
        "HTTPRoute",
        "app",
        GATEWAY_API,
        metadata={"annotations": {"short": "kept", "long": "x" * 501}},
        spec={"hostnames": ["app.example.com"], "rules": [{"matches": []}]},
    ),
    manifest("Service", "web", spec={"ports": [{"port": 80}], "selector": {"a": "b"}}),
    manifest(
        "Secret",
        "ts-envoy-0",
        metadata={"labels": {"tailscale.com/managed": "true"}},
        data={key: base64.b64encode(text.encode()).decode() for key, text in STATE.items()},
    ),
    manifest("Secret", "not-the-operators", data={"password": "ZG8tbm90LXJlYWQ="}),
    deployment("names", EXTERNAL_DNS),
    deployment("web", WEB),
]


@pytest.fixture
def server() -> Iterator[Kubernetes]:
    """Run a cluster with one object of each kind that matters, and some that do not."""
    stand_in = Kubernetes()
    refused = stand_in.load_objects(MANIFESTS)
    assert not refused
    with running(stand_in):
        yield stand_in


def observe(server: Kubernetes) -> dict[str, Any]:
    """Return the cluster's observation."""
    return objects.observe("homelab", Cluster.connect(kubeconfig(server)))


def test_each_kind_costs_one_list(server: Kubernetes) -> None:
    """Complete, every kind there, and one request for each."""
    seen = observe(server)

    assert (seen["cluster"], seen["complete"], seen["partial"]) == ("homelab", True, {})
    assert seen["objects"].keys() == objects.KINDS.keys()
    assert {kind: len(found) for kind, found in seen["objects"].items() if found} == {
        "Gateway": 1,
        "HTTPRoute": 1,
        "Namespace": len(seen["objects"]["Namespace"]),
        "Service": len(seen["objects"]["Service"]),
        "StateSecret": 1,
        "ExternalDNS": 1,
    }
    asked = [request["path"].rpartition("/")[2] for request in server.requests]
    assert len(set(asked)) == len(objects.KINDS)


def test_what_planning_never_reads_is_left_out(server: Kubernetes) -> None:
    """Rules, managed fields and long annotations; ten thousand routes must travel."""
    (route,) = observe(server)["objects"]["HTTPRoute"]

    assert route["metadata"].keys() == {
        *("name", "namespace", "labels", "generation", "creationTimestamp", "annotations")
    }
    assert route["metadata"]["annotations"] == {"short": "kept"}
    assert route["spec"] == {"hostnames": ["app.example.com"]}


def test_of_a_state_secret_only_the_device_is_read(server: Kubernetes) -> None:
    """The machine's private key lies in the same Secret; no other Secret is asked for."""
    seen = observe(server)

    (secret,) = seen["objects"]["StateSecret"]
    assert secret == {
        "namespace": "tailscale",
        "name": "ts-envoy-0",
        "labels": {"tailscale.com/managed": "true"},
        "device_id": "nXYZ",
        "device_fqdn": "gateway-envoy-1.tail.ts.net",
        "device_ips": ["100.64.0.2", "fd7a:115c:a1e0::2"],
    }
    assert "do-not-read" not in json.dumps(seen)


def test_a_secret_without_a_device_says_so() -> None:
    """A proxy that has not registered yet."""
    told = trims.state_secret({"metadata": {"name": "ts-0"}, "data": {"device_id": ""}})

    assert (told["device_id"], told["device_ips"], told["namespace"]) == ("", [], "")


def test_an_external_dns_is_seen_as_it_runs(server: Kubernetes) -> None:
    """Known by its image, as tutorials label it otherwise; its flags count wherever they stand."""
    (found,) = observe(server)["objects"]["ExternalDNS"]

    assert (found["name"], found["replicas"]) == ("names", 2)
    assert {
        "--source=ingress",
        "--txt-owner-id=homelab",
        "--policy=sync",
        "--domain-filter=a.example",
        "--domain-filter=b.example",
        "--zone-id-filter=$(ZONE)",
    } <= set(found["args"])


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "body": {"message": "etcd"}},
        {"status": 429, "body": {"message": "too many"}},
        {"status": 403, "body": {"message": "forbidden"}},
    ],
)
def test_a_kind_that_fails_makes_that_kind_partial(
    server: Kubernetes, fault: dict[str, Any]
) -> None:
    """F02: the others are there, and the reason with the one that is not."""
    server.faults.append(Fault(path="*/httproutes", times=3, **fault))

    seen = observe(server)

    assert seen["partial"].keys() == {"HTTPRoute"}
    assert "httproutes" in seen["partial"]["HTTPRoute"]
    assert (seen["complete"], seen["objects"]["HTTPRoute"]) == (False, [])
    assert len(seen["objects"]["Gateway"]) == 1


def test_a_server_that_falls_silent_is_not_asked_for_the_rest(server: Kubernetes) -> None:
    """Three tries of what was begun, not of each kind: a dead server takes a function's minute."""
    server.faults.append(Fault(path="*", times=99, cut="before"))

    seen = observe(server)

    assert list(seen["partial"]) == list(objects.KINDS)
    assert len(server.requests) <= 3 * objects.AT_ONCE


def test_a_kind_that_is_not_installed_has_no_objects(server: Kubernetes) -> None:
    """The newer routes and ListenerSets are optional: a 404 of every version is a whole answer."""
    absent = Fault(path="*/tlsroutes", status=404, body={"message": "not found"}, times=2)
    server.faults.append(absent)

    seen = observe(server)

    asked = [r["path"] for r in server.requests if r["path"].endswith("tlsroutes")]
    assert [path.split("/")[3] for path in asked] == ["v1", "v1alpha3", "v1alpha2"]
    assert (seen["partial"], seen["objects"]["XListenerSet"]) == ({}, [])


def test_a_kind_that_may_not_be_read_is_partial(server: Kubernetes) -> None:
    """Lacking rights prove nothing about what is there."""
    server.faults.append(Fault(path="*/grpcroutes", status=403, body={"message": "forbidden"}))

    assert observe(server)["partial"].keys() == {"GRPCRoute"}


def test_annotations_that_are_read_are_kept_at_any_length() -> None:
    """A long list of hostnames is not another tool's note."""
    hosts = ",".join(f"{n}.example.com" for n in range(100))
    annotations = {"external-dns.alpha.kubernetes.io/hostname": hosts, "other": hosts}

    kept = trims.trimmed({"metadata": {"name": "a", "annotations": annotations}})

    assert kept["metadata"]["annotations"] == {"external-dns.alpha.kubernetes.io/hostname": hosts}


def test_of_an_ingress_the_hosts_are_kept() -> None:
    """Its rules lead to backends, which nobody asks for; their hosts are names."""
    rules = [{"host": "a.example.com", "http": {"paths": []}}, {"http": {"paths": []}}]

    kept = trims.ingress({"metadata": {"name": "a"}, "spec": {"rules": rules}})

    assert kept["spec"] == {"rules": [{"host": "a.example.com"}]}


def test_a_cluster_without_the_gateway_api_is_partial(server: Kubernetes) -> None:
    """A missing kind proves nothing about the routes that were there yesterday."""
    server.faults.append(Fault(path="*/gateways", status=404, body={"message": "not found"}))

    assert "404" in observe(server)["partial"]["Gateway"]
