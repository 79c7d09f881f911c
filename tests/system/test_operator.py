"""What the Tailscale operator carries by itself, in a running world: a Service and an Ingress."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.embedded import route, until


if TYPE_CHECKING:
    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

ZONE = "hearth.example"
SAID = "external-dns.alpha.kubernetes.io"
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "page",
        "namespace": "home",
        "annotations": {f"{SAID}/hostname": f"page.{ZONE}", f"{SAID}/expose": "true"},
    },
    "spec": {
        "type": "LoadBalancer",
        "loadBalancerClass": "tailscale",
        "ports": [{"name": "http", "port": 80}],
    },
}
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "page", "namespace": "home"},
    "spec": {
        "ingressClassName": "tailscale",
        "tls": [{"hosts": ["web-page"]}],
        "defaultBackend": {"service": {"name": "home", "port": {"number": 80}}},
    },
}


RPC = {**route("rpc", [f"rpc.{ZONE}"]), "kind": "GRPCRoute"}
GROUP = {
    "apiVersion": "tailscale.com/v1alpha1",
    "kind": "ProxyGroup",
    "metadata": {"name": "proxies"},
    "spec": {"type": "ingress"},
}


def grouped() -> dict[str, Any]:
    """Return a Service that the ProxyGroup carries."""
    name = {f"{SAID}/hostname": f"shared.{ZONE}", f"{SAID}/expose": "true"}
    said = {**name, "tailscale.com/proxy-group": "proxies"}
    return {**SERVICE, "metadata": {"name": "shared", "namespace": "home", "annotations": said}}


def status(world: Embedded, kind: str, name: str = "page") -> list[dict[str, Any]]:
    """Return the load balancer's entries of an object."""
    found = json.loads(world.kubectl("-n", "home", "get", kind, name, "-o", "json"))
    entries: list[dict[str, Any]] = found["status"].get("loadBalancer", {}).get("ingress", [])
    return entries


def served_by(world: Embedded, address: str) -> str:
    """Ask an address of the tailnet over plain HTTP; return which Service answers."""
    with httpx.Client(proxy=f"socks5://{world.connection['socks5']}") as client:
        return client.get(f"http://{address}/").headers["x-served-by"]


def test_a_service_is_written_and_an_ingress_is_left_to_magic_dns(in_step: Embedded) -> None:
    """The new devices' events are enough: one name is written in both views, none for the other.

    The objects stay: a source that shrank to nothing would be held, for all tests that follow.
    """
    began = time.time()
    for document in (SERVICE, INGRESS):
        in_step.kubectl("apply", "-f", "-", given=document)
    until(lambda: status(in_step, "ingress"), bool)

    outputs = in_step.outputs_since(began)

    (device,) = in_step.devices("home-page")
    assert "applied" in {output["outcome"] for output in outputs}, outputs
    assert in_step.converge()["outcome"] == "in_sync"
    records = in_step.records(ZONE)
    assert records["CNAME", f"page.{ZONE}"] == device["name"]
    assert "service/home/page" in records["TXT", f"cname-page.{ZONE}"]
    hosts = in_step.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "yaml")
    assert f"{device['addresses'][0]} page.{ZONE}" in hosts
    assert served_by(in_step, device["addresses"][0]) == "home/page:80"
    (entry,) = status(in_step, "ingress")
    page = in_step.ask(entry["hostname"], "tailnet")
    assert (page.ok, page.served_by) == (True, "home/home:80")
    assert not any("web-page" in name + content for (_, name), content in records.items())


def test_a_proxy_groups_service_and_a_grpc_route_are_written(in_step: Embedded) -> None:
    """No device is new, so no event tells of them: a person or the sweep does. They stay, too."""
    for document in (GROUP, grouped(), RPC):
        in_step.kubectl("apply", "-f", "-", given=document)
    (entry,) = until(lambda: status(in_step, "service", "shared"), bool)
    until(lambda: in_step.kubectl("-n", "home", "get", "grpcroute", "rpc", "-o", "yaml"), judged)

    output = in_step.converge()

    assert (output["outcome"], output["proof"]["word"]) == ("applied", "proven")
    records = in_step.records(ZONE)
    assert records["CNAME", f"shared.{ZONE}"] == entry["hostname"]
    hosts = in_step.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "yaml")
    assert f"{entry['ip']} shared.{ZONE}" in hosts
    assert served_by(in_step, entry["ip"]) == "home/shared:80"
    assert "grpcroute/home/rpc" in records["TXT", f"cname-rpc.{ZONE}"]
    assert in_step.ask(f"rpc.{ZONE}", "tailnet").served_by == "home/home:80"


def judged(document: str) -> bool:
    """Say whether a route's Gateway has accepted it."""
    return "reason: Accepted" in document
