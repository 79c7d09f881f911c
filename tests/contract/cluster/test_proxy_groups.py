"""ProxyGroups against the real tailnet stand-in: Tailscale Services, statuses and their wires."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.clock import Clock
from sandbox.cluster.network import ServiceNetwork
from sandbox.cluster.planes import SharedPlane
from sandbox.cluster.proxy_groups import ProxyGroups
from sandbox.tailnet.datapath import DataPath
from sandbox.tailscale import Tailscale


if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN = "ainu-herring.ts.net"
GROUPS = """
apiVersion: tailscale.com/v1alpha1
kind: ProxyGroup
metadata: {name: proxies}
spec: {type: ingress}
---
apiVersion: tailscale.com/v1alpha1
kind: ProxyGroup
metadata: {name: kube}
spec: {type: kube-apiserver, kubeAPIServer: {hostname: cluster}}
"""
OBJECTS = """
apiVersion: v1
kind: Service
metadata:
  name: db
  namespace: apps
  annotations: {tailscale.com/proxy-group: proxies, tailscale.com/hostname: database}
spec:
  type: LoadBalancer
  loadBalancerClass: tailscale
  ports: [{port: 5432}, {port: 53, protocol: UDP}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: apps, annotations: {tailscale.com/proxy-group: proxies}}
spec:
  ingressClassName: tailscale
  tls: [{hosts: [home]}]
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: lost, namespace: apps, annotations: {tailscale.com/proxy-group: gone}}
spec: {type: LoadBalancer, loadBalancerClass: tailscale, ports: [{port: 80}]}
"""


@dataclass
class World:
    """The controller and what it stands on."""

    api: Any
    tailnet: Tailscale
    path: DataPath
    groups: ProxyGroups
    asked: list[str]

    def entries(self, kind: str, name: str) -> Any:
        """Return the load balancer's entries of an object."""
        status = self.api.get(kind, "apps", name).get("status") or {}
        return (status.get("loadBalancer") or {}).get("ingress")


@pytest.fixture
def world(api: Any, plane: Any, authority: Any) -> World:
    """Return the controller in an empty cluster, not started."""
    tailnet = Tailscale()
    path = DataPath(tailnet)
    asked: list[str] = []

    async def backend(service: str) -> Any:
        asked.append(service)
        raise ConnectionRefusedError(service)

    network = ServiceNetwork(backend)
    groups = ProxyGroups(
        api,
        tailscale=tailnet,
        path=path,
        clock=Clock(speed=500.0),
        plane=SharedPlane(plane),
        authority=authority,
        connect=lambda space, name, port: partial(network.connect, space, name, port),
    )
    return World(api, tailnet, path, groups, asked)


def test_each_object_gets_a_tailscale_service_and_a_status(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """In the operator's own shapes: name and address in one entry, an Ingress without address."""
    load(GROUPS)
    load(OBJECTS)

    play(world.groups.reconcile())

    services = {service["name"]: service for service in world.tailnet.services}
    assert {name: service["ports"] for name, service in services.items()} == {
        "svc:database": ["tcp:5432"],
        "svc:home": ["tcp:443"],
        "svc:cluster": ["tcp:443"],
    }
    assert world.entries("Service", "db") == [
        {"hostname": f"database.{DOMAIN}", "ip": services["svc:database"]["addrs"][0]}
    ]
    assert world.entries("Ingress", "web") == [
        {"hostname": f"home.{DOMAIN}", "ports": [{"port": 443, "protocol": "TCP"}]}
    ]
    assert world.api.get("ProxyGroup", "", "kube")["status"]["url"] == f"https://cluster.{DOMAIN}"
    assert world.entries("Service", "lost") is None


def test_a_second_look_changes_nothing(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """Addresses last, and nobody writes what is so already."""
    load(GROUPS)
    load(OBJECTS)
    play(world.groups.reconcile())
    before, writes = [dict(service) for service in world.tailnet.services], world.api.writes

    play(world.groups.reconcile())

    assert (world.tailnet.services, world.api.writes) == (before, writes)


def test_what_is_gone_loses_its_service_and_strangers_keep_theirs(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """Only the operator's own are cleaned up."""
    load(GROUPS)
    load(OBJECTS)
    play(world.groups.reconcile())
    world.tailnet.vips.put("svc:by-hand", {"ports": ["tcp:80"]}, taken=set())
    for kind, name in (("Service", "db"), ("Ingress", "web")):
        world.api.delete(kind, "apps", name)

    play(world.groups.reconcile())

    assert {service["name"] for service in world.tailnet.services} == {"svc:cluster", "svc:by-hand"}


def test_its_address_and_its_name_lead_to_the_object(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """A Service's bytes go through; other ports are refused."""
    load(GROUPS)
    load(OBJECTS)

    async def story() -> None:
        await world.groups.reconcile()
        address = world.entries("Service", "db")[0]["ip"]
        for host, port in ((address, 5432), (f"database.{DOMAIN}", 5432), (address, 80)):
            with pytest.raises(ConnectionRefusedError):
                await world.path.dial(host, port)

    play(story())

    assert world.asked == ["apps/db:5432", "apps/db:5432"]
