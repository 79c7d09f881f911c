"""A controller of the Gateway API: from Gateways and routes to a Service, statuses and an Envoy."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.cluster.api import write_status
from sandbox.cluster.attachment import resolve, resolve_one
from sandbox.cluster.conditions import condition, merged
from sandbox.cluster.frontends import Chain, Frontend
from sandbox.cluster.gateway_controllers import envoy_gateway
from sandbox.cluster.gateway_reading import Attached, Cluster, Name, name_of, read
from sandbox.cluster.gateway_status import addresses, gateway_status, route_status
from sandbox.cluster.listeners import Listener, judge
from sandbox.cluster.loop import Loop
from sandbox.cluster.translation import hosts


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.clock import Clock
    from sandbox.cluster.api import Api, Object
    from sandbox.cluster.gateway_controllers import Controller
    from sandbox.cluster.network import ServiceNetwork
    from sandbox.cluster.planes import SharedPlane

log = logging.getLogger(__name__)
REACTION = 1.0  # seconds of the world between a change and the status that follows
WATCHED = {
    "Gateway", "GatewayClass", "EnvoyProxy", "NginxProxy", "HTTPRoute", "GRPCRoute", "Service",
    "Secret", "Namespace", "ReferenceGrant",
}  # fmt: skip


class EnvoyGateway:
    """Envoy Gateway, unless another `controller` is played: an Envoy serves for any of them."""

    def __init__(
        self,
        api: Api,
        plane: SharedPlane,
        network: ServiceNetwork,
        clock: Clock,
        *,
        controller: Controller | None = None,
    ) -> None:
        self._api = api
        self._plane = plane
        self._network = network
        self._clock = clock
        self._controller = controller or envoy_gateway("envoy-gateway-system")
        self._loop = Loop(self.reconcile, clock, REACTION)

    def start(self) -> None:
        """Follow the cluster's changes."""
        self._api.subscribe(self._notice)
        self._loop.start()

    def _notice(self, _: str, thing: Object) -> None:
        if thing["kind"] in WATCHED:
            self._loop.poke()

    async def stop(self) -> None:
        """Stop following."""
        await self._loop.stop()

    async def reconcile(self) -> None:
        """Bring Services, Envoy and statuses in line with what the cluster says now."""
        cluster = read(self._api, self._controller.name)
        self._accept_classes(cluster)
        attached = self._attach_routes(cluster)
        frontends: list[Frontend] = []
        for name, gateway in cluster.gateways.items():
            try:
                frontends += self._serve(cluster, gateway, attached[name])
            except Exception:
                # what one Gateway asks for must not take the others down
                log.exception("Gateway %s/%s cannot be served", *name)
        self._delete_orphans(cluster)
        await self._plane.serve(self._controller.manager, frontends)

    def _accept_classes(self, cluster: Cluster) -> None:
        for thing in cluster.classes:
            ref = thing["spec"].get("parametersRef")
            good = not ref or self._proxy(ref, ref.get("namespace", "")) is not None
            verdict = condition(
                "Accepted",
                true=good,
                reason="Accepted" if good else "InvalidParameters",
                message="Valid GatewayClass" if good else "The parameters it names are not found",
                generation=thing["metadata"].get("generation", 1),
            )
            old = (thing.get("status") or {}).get("conditions")
            status = {"conditions": merged(old, [verdict], time.time())}
            write_status(self._api, thing, status, self._controller.manager)

    def _proxy(self, ref: Mapping[str, Any], namespace: str) -> Object | None:
        if ref.get("kind") not in self._controller.kinds:
            return None
        return self._api.get(ref["kind"], namespace, ref["name"])

    def _proxy_of(self, cluster: Cluster, gateway: Object) -> Object | None:
        """Return the Gateway's own EnvoyProxy, else that of its class."""
        own = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
        if own:
            return self._proxy(own, gateway["metadata"]["namespace"])
        wanted = gateway["spec"]["gatewayClassName"]
        found = next(c for c in cluster.classes if c["metadata"]["name"] == wanted)
        ref = found["spec"].get("parametersRef")
        return self._proxy(ref, ref.get("namespace", "")) if ref else None

    def _attach_routes(self, cluster: Cluster) -> dict[Name, Attached]:
        """Judge every route, write its status, and return what each Gateway has to serve."""
        found: dict[Name, Attached] = defaultdict(Attached)
        for route in cluster.routes:
            judged = list(cluster.judge(route))
            if not judged and not (route.get("status") or {}).get("parents"):
                continue
            resolved = resolve(route, cluster.has_service, cluster.grants)
            for _, gateway, attachment in judged:
                for listener, hostnames in attachment.hostnames.items():
                    found[gateway].served[listener].append((route, hostnames))
            verdicts = [(ref, attachment.accepted, resolved) for ref, _, attachment in judged]
            status = route_status(route, verdicts, self._controller.name, time.time())
            write_status(self._api, route, status, self._controller.manager)
        return found

    def _serve(self, cluster: Cluster, gateway: Object, attached: Attached) -> list[Frontend]:
        """Make the Gateway's Service, write its status, return what Envoy has to serve for it."""
        wanted = self._controller.make(gateway, self._proxy_of(cluster, gateway))
        self._api.apply(wanted, self._controller.manager)
        listeners = judge(gateway, partial(self._api.get, "Secret"), cluster.grants)
        current = cluster.services.get(name_of(wanted), wanted)
        found = addresses(gateway, {**wanted, "status": current.get("status")})
        status = gateway_status(gateway, found, listeners, attached.counts(), time.time())
        write_status(self._api, gateway, status, self._controller.manager)
        frontends = self._frontends(cluster, gateway, listeners, attached)
        self._network.provide(
            *name_of(wanted),
            {port: partial(self._plane.connect, f.key) for port, f in frontends.items()},
        )
        return list(frontends.values())

    def _frontends(
        self, cluster: Cluster, gateway: Object, listeners: list[Listener], attached: Attached
    ) -> dict[int, Frontend]:
        by_port: dict[int, list[Chain]] = defaultdict(list)
        for listener in listeners:
            if listener.works:
                chain = self._chain(cluster, listener, attached)
                by_port[listener.spec["port"]].append(chain)
        namespace, name = name_of(gateway)
        return {
            port: Frontend(f"{namespace}/{name}:{port}", _without_clash(chains))
            for port, chains in by_port.items()
        }

    @staticmethod
    def _chain(cluster: Cluster, listener: Listener, attached: Attached) -> Chain:
        entries = [
            (route, hostnames, _permits(cluster, route))
            for route, hostnames in attached.served[listener.spec["name"]]
        ]
        return Chain(
            listener.spec["name"],
            listener.spec.get("hostname", "").lower(),
            hosts(entries),
            listener.certificate,
        )

    def _delete_orphans(self, cluster: Cluster) -> None:
        """Delete the Services of Gateways that are gone."""
        kept = {name_of(self._controller.make(one, None)) for one in cluster.gateways.values()}
        for name, thing in list(cluster.services.items()):
            labels = thing["metadata"].get("labels") or {}
            ours = labels.get("app.kubernetes.io/managed-by") == self._controller.manager
            if ours and name not in kept:
                self._api.delete("Service", *name)
                self._network.withdraw(*name)


def _permits(cluster: Cluster, route: Object) -> Any:
    home = route["metadata"]["namespace"]
    return lambda ref: resolve_one(ref, home, cluster.has_service, cluster.grants).true


def _without_clash(chains: list[Chain]) -> tuple[Chain, ...]:
    """Return the chains of one port; those without TLS are told apart by Host only, so are one."""
    plain = [chain for chain in chains if not chain.certificate]
    if len(plain) < 2:
        return tuple(chains)
    merged_hosts = {host.name: host for chain in reversed(plain) for host in chain.hosts}
    return (Chain(plain[0].name, "", tuple(merged_hosts.values())),)
