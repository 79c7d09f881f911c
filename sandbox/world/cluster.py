"""The cluster of the world: filled from manifests, run by its controllers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.cluster.cert_manager import CertManager
from sandbox.cluster.charts import charts
from sandbox.cluster.completion import complete
from sandbox.cluster.envoy import EnvoyError
from sandbox.cluster.envoy_gateway import EnvoyGateway
from sandbox.cluster.exposed import DEFAULT_TAGS
from sandbox.cluster.gateway_controllers import envoy_gateway, others
from sandbox.cluster.ground import Ground
from sandbox.cluster.ingress import frontend_key
from sandbox.cluster.kubelet import Kubelet
from sandbox.cluster.network import ServiceNetwork
from sandbox.cluster.operator import Operator
from sandbox.cluster.proxy_groups import ProxyGroups
from sandbox.cluster.proxy_objects import NAMESPACE
from sandbox.world.access import account_objects


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.cluster.certificates import Authority
    from sandbox.cluster.exposed import Exposed
    from sandbox.cluster.planes import SharedPlane
    from sandbox.kubernetes.server import Kubernetes
    from sandbox.tailnet.datapath import Connect
    from sandbox.world.composition import World

Part = CertManager | EnvoyGateway | Kubelet | Operator | ProxyGroups
ENVOY_GATEWAY_NAMESPACE = "envoy-gateway-system"


def fill(
    kubernetes: Kubernetes, manifests: Sequence[dict[str, Any]], authority: Authority
) -> list[str]:
    """Apply the manifests, then what they lack; return what a person should know of it."""
    refused = [
        f"{r.document.get('kind')} {r.document['metadata'].get('name')} was refused: {r.reason}"
        for r in kubernetes.load_objects(manifests)
    ]
    accepted = kubernetes.dump()["objects"]
    completion = complete(accepted, authority)
    spaces = [_namespace(name) for name in sorted(controllers_namespaces(accepted))]
    kubernetes.load_objects(
        [
            *(thing for thing in spaces if not _exists(kubernetes, thing)),
            *completion.objects,
            *account_objects(accepted),
        ]
    )
    return refused + completion.notes


def controllers_namespaces(objects: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the namespaces that installing the controllers and the charts makes."""
    installed = {chart.namespace for chart in charts(objects)}
    return {NAMESPACE, envoy_gateway_namespace(objects), *installed}


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _exists(kubernetes: Kubernetes, thing: Mapping[str, Any]) -> bool:
    return kubernetes.get("Namespace", "", thing["metadata"]["name"]) is not None


class RunningCluster:
    """The controllers, started in the order in which a cluster comes up."""

    def __init__(self, world: World, plane: SharedPlane) -> None:
        self._world = world
        self._plane = plane
        self._network = ServiceNetwork(world.backends.connect)
        objects = world.objects
        api, clock = world.kubernetes, world.clock
        ground = Ground(api, world.tailnet, world.path, clock, self._connect)
        tags = default_tags(objects)
        self.certificates = CertManager(api, world.authority, clock)
        self.kubelet = Kubelet(api, self._network, clock, world.names.from_pod)
        self.operator = Operator(ground, plane, world.authority, default_tags=tags)
        self.groups = ProxyGroups(
            api,
            tailscale=world.tailscale,
            path=world.path,
            clock=clock,
            plane=plane,
            authority=world.authority,
            connect=self._service_port,
        )
        played = [
            envoy_gateway(envoy_gateway_namespace(objects)),
            *others(api.list("GatewayClass")),
        ]
        self.gateways = [
            EnvoyGateway(api, plane, self._network, clock, controller=controller)
            for controller in played
        ]

    async def start(self) -> None:
        """Come to the steady state at once, then follow changes with their delays."""
        # a Gateway's Service comes before its device, whose address comes before its status
        steps: tuple[Part, ...] = (
            self.certificates,
            self.kubelet,
            *self.gateways,
            self.operator,
            self.groups,
            *self.gateways,
        )
        for controller in steps:
            try:
                await controller.reconcile()
            except EnvoyError as error:
                self._world.notes.append(str(error))
        for controller in self._controllers():
            controller.start()

    async def stop(self) -> None:
        """Stop every controller."""
        for controller in reversed(self._controllers()):
            await controller.stop()

    def split_dns(self) -> dict[str, list[str]]:
        """Return the resolvers' domains and their devices' IPv4 addresses."""
        found: dict[str, list[str]] = {}
        for address, domains in self._resolvers():
            for domain in domains:
                found.setdefault(domain, []).append(address)
        return found

    def _resolvers(self) -> list[tuple[str, list[str]]]:
        found = []
        for service in self._world.kubernetes.list("Service"):
            ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
            addresses = [entry["ip"] for entry in ingress if entry.get("ip")]
            domains = self.kubelet.domains(service)
            if addresses and domains:
                found.append((addresses[0], domains))
        return found

    def _controllers(self) -> tuple[Part, ...]:
        return self.certificates, self.kubelet, self.operator, self.groups, *self.gateways

    def _service_port(self, namespace: str, name: str, port: int) -> Connect:
        return partial(self._network.connect, namespace, name, port)

    def _connect(self, item: Exposed, port: int) -> Connect:
        if item.kind == "ingress":
            return partial(self._plane.connect, frontend_key(item.namespace, item.name))
        return partial(self._network.connect, item.namespace, item.name, port)


def envoy_gateway_namespace(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return where the chart of Envoy Gateway is installed, which is where its Services are."""
    found = (chart.namespace for chart in charts(objects) if chart.name == "gateway-helm")
    return next(found, ENVOY_GATEWAY_NAMESPACE)


def default_tags(objects: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the tags that the operator's chart gives to proxies."""
    for chart in charts(objects):
        if chart.name == "tailscale-operator":
            proxies = chart.values.get("proxyConfig")
            given = proxies.get("defaultTags") if isinstance(proxies, dict) else ""
            tags = tuple(tag.strip() for tag in str(given or "").split(",") if tag.strip())
            return tags or DEFAULT_TAGS
    return DEFAULT_TAGS
