"""The Tailscale operator against the real tailnet stand-in: proxies, devices, Secrets, statuses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.clock import Clock
from sandbox.cluster.ground import Ground
from sandbox.cluster.network import ServiceNetwork
from sandbox.cluster.operator import Operator
from sandbox.cluster.planes import SharedPlane
from sandbox.cluster.proxy_objects import decoded
from sandbox.tailnet.datapath import DataPath
from sandbox.tailscale import Tailscale


if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: gateway
  namespace: edge
  annotations: {tailscale.com/hostname: gateway-envoy, tailscale.com/tags: "tag:k8s,tag:web"}
spec:
  type: LoadBalancer
  loadBalancerClass: tailscale
  clusterIP: 10.96.0.7
  ports: [{port: 443}, {port: 53, protocol: UDP}]
"""
DOMAIN = "ainu-herring.ts.net"
FAST = Clock(speed=500.0)


@dataclass
class World:
    """The operator and everything around it."""

    api: Any
    tailnet: Tailscale
    path: DataPath
    operator: Operator
    plane: Any
    asked: list[str]

    def secret(self) -> dict[str, Any]:
        """Return what the only state Secret says."""
        found = self.api.list("Secret", "tailscale")
        assert len(found) <= 1
        return decoded(found[0] if found else None)

    def ingress(self, kind: str = "Service", name: str = "gateway") -> Any:
        """Return the load balancer's entries of an object."""
        status = self.api.get(kind, "edge", name).get("status") or {}
        return (status.get("loadBalancer") or {}).get("ingress")

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for what must come."""
        for _ in range(2500):
            if true():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it did not come to pass in 5 s")


@pytest.fixture
def world(api: Any, plane: Any, authority: Any) -> World:
    """Return an operator in an empty cluster, not started."""
    tailnet = Tailscale()
    path = DataPath(tailnet)
    asked: list[str] = []

    async def backend(service: str) -> Any:
        asked.append(service)
        raise ConnectionRefusedError(service)

    network = ServiceNetwork(backend)
    connect = lambda item, port: partial(network.connect, item.namespace, item.name, port)  # noqa: E731 - a value
    ground = Ground(api, tailnet, path, FAST, connect)
    operator = Operator(ground, SharedPlane(plane), authority)
    return World(api, tailnet, path, operator, plane, asked)


@pytest.fixture
def running(
    world: World, load: Callable[[str], None], play: Any
) -> Callable[[Callable[[World], Any]], None]:
    """Run a story in a cluster whose operator has exposed one Service and follows changes."""

    def run(story: Callable[[World], Any]) -> None:
        async def whole() -> None:
            load(SERVICE)
            await world.operator.reconcile()
            world.operator.start()
            try:
                await story(world)
            finally:
                await world.operator.stop()

        play(whole())

    return run


def test_a_service_gets_a_device_a_state_secret_and_a_status(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """Everything is there at once when the world begins, in the operator's own shapes."""
    load(SERVICE)

    play(world.operator.reconcile())

    device = world.tailnet.devices[0]
    assert (device["hostname"], device["tags"]) == ("gateway-envoy", ["tag:k8s", "tag:web"])
    secret = world.api.list("Secret", "tailscale")[0]
    assert secret["metadata"]["labels"] == {
        "tailscale.com/managed": "true",
        "tailscale.com/parent-resource": "gateway",
        "tailscale.com/parent-resource-ns": "edge",
        "tailscale.com/parent-resource-type": "svc",
    }
    state = decoded(secret)
    assert state["device_id"] == device["nodeId"]
    assert state["device_fqdn"] == f"gateway-envoy.{DOMAIN}."
    assert state["device_ips"] == device["addresses"]
    pod = world.api.get("Pod", "tailscale", secret["metadata"]["name"])
    assert state["pod_uid"] == pod["metadata"]["uid"]
    assert world.ingress() == [
        {"hostname": f"gateway-envoy.{DOMAIN}"},
        {"ip": device["addresses"][0]},  # only the ClusterIP's family
    ]
    ready = world.api.get("Service", "edge", "gateway")["status"]["conditions"][0]
    assert (ready["type"], ready["status"], ready["reason"]) == (
        "TailscaleProxyReady",
        "True",
        "ProxyCreated",
    )


def test_the_device_carries_exactly_the_services_tcp_ports(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """Port 443 leads to the Service, anything else is refused."""
    load(SERVICE)
    play(world.operator.reconcile())

    async def story() -> None:
        for port in (443, 80):
            with pytest.raises(ConnectionRefusedError):
                await world.path.dial(f"gateway-envoy.{DOMAIN}", port)

    play(story())
    assert world.asked == ["edge/gateway:443"]


def test_the_same_device_comes_back_after_a_restart_of_the_world(
    world: World, load: Callable[[str], None], play: Any, authority: Any
) -> None:
    """The state Secret is the identity: a new operator registers nothing."""
    load(SERVICE)
    play(world.operator.reconcile())
    again = Operator(world.operator._ground, SharedPlane(world.plane), authority)

    play(again.reconcile())

    assert len(world.tailnet.devices) == 1


def test_a_deleted_state_secret_makes_a_new_device_beside_its_offline_twin(running: Any) -> None:
    """The issue's own story: `gateway-envoy-1`, another address, the old one still listed."""

    async def story(world: World) -> None:
        old = world.secret()
        name = world.api.list("Secret", "tailscale")[0]["metadata"]["name"]
        world.api.delete("Secret", "tailscale", name)
        await world.until(lambda: not world.tailnet.devices[0]["connectedToControl"])
        await world.until(lambda: world.ingress() is None)  # nobody knows its name yet

        await world.until(world.secret)

        assert len(world.tailnet.devices) == 2
        new = world.tailnet.devices[1]
        assert new["name"] == f"gateway-envoy-1.{DOMAIN}"
        assert world.secret()["device_id"] == new["nodeId"] != old["device_id"]
        await world.until(
            lambda: (
                world.ingress()
                == [{"hostname": f"gateway-envoy-1.{DOMAIN}"}, {"ip": new["addresses"][0]}]
            )
        )
        with pytest.raises(OSError, match="offline"):
            await world.path.dial(f"gateway-envoy.{DOMAIN}", 443)

    running(story)


@pytest.mark.parametrize("kind", ["Pod", "StatefulSet"])
def test_a_deleted_pod_comes_back_as_the_same_device(running: Any, kind: str) -> None:
    """It is away for the grace period; its identity is in the Secret."""

    async def story(world: World) -> None:
        before = world.secret()
        found = world.api.list(kind, "tailscale")[0]
        world.api.delete(kind, "tailscale", found["metadata"]["name"])
        await world.until(lambda: not world.tailnet.devices[0]["connectedToControl"])

        await world.until(lambda: world.api.list(kind, "tailscale"))

        await world.until(lambda: world.tailnet.devices[0]["connectedToControl"])
        assert len(world.tailnet.devices) == 1
        assert world.secret()["device_id"] == before["device_id"]

    running(story)


def test_a_machine_with_the_proxys_hostname_and_tags_is_the_proxy_made_anew(running: Any) -> None:
    """The old twin goes offline at once; Secret and status follow by and by."""

    async def story(world: World) -> None:
        world.tailnet.register("gateway-envoy", tags=["tag:other"])  # somebody else's
        await asyncio.sleep(0.02)
        assert world.tailnet.devices[0]["connectedToControl"]

        new = world.tailnet.register("gateway-envoy", tags=["tag:web", "tag:k8s"])

        assert not world.tailnet.devices[0]["connectedToControl"]
        await world.until(lambda: world.secret()["device_id"] == new["nodeId"])
        await world.until(lambda: world.ingress()[1] == {"ip": new["addresses"][0]})
        with pytest.raises(ConnectionRefusedError):
            await world.path.dial(new["addresses"][0], 443)
        assert world.asked == ["edge/gateway:443"]

    running(story)


def test_a_deleted_device_logs_in_again_under_its_free_name(running: Any) -> None:
    """Same name, new address: the other way a gateway moves."""

    async def story(world: World) -> None:
        old = world.secret()
        world.tailnet.remove(old["device_id"])
        with pytest.raises(OSError, match="no device"):
            await world.path.dial(old["device_ips"][0], 443)

        await world.until(lambda: world.secret()["device_id"] != old["device_id"])

        assert world.secret()["device_fqdn"] == old["device_fqdn"]
        assert world.secret()["device_ips"] != old["device_ips"]

    running(story)


def test_a_renamed_device_is_noted_in_secret_and_status(running: Any) -> None:
    """The proxy learns its own new name from the control plane."""

    async def story(world: World) -> None:
        world.tailnet.rename(world.secret()["device_id"], "front-door")

        await world.until(lambda: world.ingress()[0] == {"hostname": f"front-door.{DOMAIN}"})

        assert world.secret()["device_fqdn"] == f"front-door.{DOMAIN}."

    running(story)


def test_a_service_that_stops_asking_loses_everything(running: Any) -> None:
    """The operator deletes the device through the API, so the name is free again."""

    async def story(world: World) -> None:
        world.api.delete("Service", "edge", "gateway")

        await world.until(lambda: not world.tailnet.devices)

        for kind in ("StatefulSet", "Pod", "Secret"):
            assert world.api.list(kind, "tailscale") == []

    running(story)


def test_a_service_may_be_exposed_later(running: Any, load: Callable[[str], None]) -> None:
    """Default hostname, default tags, no load-balancer status for an annotated ClusterIP."""

    async def story(world: World) -> None:
        load(
            "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n"
            "metadata: {name: app, namespace: edge, annotations: {tailscale.com/expose: 'true'}}\n"
        )
        await world.until(lambda: len(world.tailnet.devices) == 2)
        device = world.tailnet.devices[1]
        assert (device["hostname"], device["tags"]) == ("edge-app", ["tag:k8s"])
        await world.until(lambda: world.api.get("Service", "edge", "app").get("status"))
        assert world.ingress(name="app") is None

    running(story)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"spec": {"type": "LoadBalancer", "loadBalancerClass": "tailscale", "clusterIP": "None"}},
         "headless Services are not supported"),
        ({"metadata": {"annotations": {"tailscale.com/hostname": "No_Label"}}}, "No_Label"),
    ],
)  # fmt: skip
def test_what_cannot_be_exposed_says_so(
    world: World, load: Callable[[str], None], play: Any, change: dict[str, Any], sentence: str
) -> None:
    """An invalid Service gets a condition and no device."""
    load(SERVICE)
    old = world.api.get("Service", "edge", "gateway")
    meta = {**old["metadata"], **change.get("metadata", {})}
    world.api.apply({**old, **change, "metadata": meta}, "test")

    play(world.operator.reconcile())

    condition = world.api.get("Service", "edge", "gateway")["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "ProxyInvalid")
    assert sentence in condition["message"]
    assert world.tailnet.devices == []


def test_an_ingress_is_served_under_its_devices_own_name(
    world: World, load: Callable[[str], None], play: Any
) -> None:
    """Hostname from its TLS host, a status without an IP, TLS for the MagicDNS name."""
    load(
        """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: wiki, namespace: edge}
spec:
  ingressClassName: tailscale
  tls: [{hosts: [wiki]}]
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: wiki, port: {name: http}}}}
      - {path: /api, pathType: Exact, backend: {service: {name: api, port: {number: 8080}}}}
---
apiVersion: v1
kind: Service
metadata: {name: wiki, namespace: edge}
spec: {ports: [{name: http, port: 3000}]}
"""
    )

    play(world.operator.reconcile())

    assert world.ingress("Ingress", "wiki") == [
        {"hostname": f"wiki.{DOMAIN}", "ports": [{"port": 443, "protocol": "TCP"}]}
    ]
    chain = world.plane.frontends["ingress-edge/wiki:443"].chains[0]
    assert chain.server_name == f"wiki.{DOMAIN}"
    backends = [route.backends[0][0] for route in chain.hosts[0].routes]
    assert backends == ["edge/api:8080", "edge/wiki:3000"]
