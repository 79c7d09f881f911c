"""What the Tailscale operator carries by itself, in a running world: a Service and an Ingress."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.embedded import until


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


def status(world: Embedded, kind: str) -> list[dict[str, Any]]:
    """Return the load balancer's entries of the object `page`."""
    found = json.loads(world.kubectl("-n", "home", "get", kind, "page", "-o", "json"))
    entries: list[dict[str, Any]] = found["status"].get("loadBalancer", {}).get("ingress", [])
    return entries


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
    proxy = f"socks5://{in_step.connection['socks5']}"
    with httpx.Client(proxy=proxy) as client:
        answer = client.get(f"http://{device['addresses'][0]}/", headers={"host": f"page.{ZONE}"})
    assert answer.headers["x-served-by"] == "home/page:80"
    (entry,) = status(in_step, "ingress")
    page = in_step.ask(entry["hostname"], "tailnet")
    assert (page.ok, page.served_by) == (True, "home/home:80")
    assert not any("web-page" in name + content for (_, name), content in records.items())
