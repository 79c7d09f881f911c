"""The kubelet and the controllers of workloads: resolver Pods really run, the rest is said to."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.cluster.api import write_status
from sandbox.cluster.gateway_reading import name_of
from sandbox.cluster.loop import Loop
from sandbox.cluster.resolver import WORKLOADS, Resolver, runs_coredns
from sandbox.cluster.resolver_pod import ResolverPod
from sandbox.cluster.service_ports import selects_pods, tcp_ports
from sandbox.cluster.workload_status import RUN_BY, pod_object, rollout_status


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.clock import Clock
    from sandbox.cluster.api import Api, Object
    from sandbox.cluster.gateway_reading import Name
    from sandbox.cluster.network import ServiceNetwork
    from sandbox.coredns.setup import Upstream

log = logging.getLogger(__name__)
MANAGER = "kubelet"
REACTION = 1.0  # seconds of the world
SYNC = (60.0, 90.0)  # a ConfigMap's way to a volume: the sync period and the cache's delay


class Kubelet:
    """`reconcile` once before `start` gives the steady state at once."""

    def __init__(
        self,
        api: Api,
        network: ServiceNetwork,
        clock: Clock,
        upstream: Upstream,
        *,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._api = api
        self._network = network
        self._clock = clock
        self._upstream = upstream
        self._chance = chance
        self._resolvers: dict[Name, Resolver] = {}
        self._provided: set[Name] = set()
        self._syncs: dict[Name, asyncio.Task[None]] = {}
        self._ending: list[asyncio.Task[None]] = []
        self._loop = Loop(self.reconcile, clock, REACTION)
        self._started = False

    @property
    def resolvers(self) -> dict[Name, Resolver]:
        """The resolvers by the name of their workload."""
        return self._resolvers

    def domains(self, service: Object) -> list[str]:
        """Return the zones that the resolver behind a Service answers for, the root left out."""
        return [
            domain
            for (namespace, _), resolver in self._resolvers.items()
            if namespace == service["metadata"]["namespace"] and selects_pods(service, resolver)
            for domain in resolver.domains
        ]

    def start(self) -> None:
        """Follow the cluster's changes."""
        self._started = True
        self._api.subscribe(self._notice)
        self._loop.start()

    async def stop(self) -> None:
        """End every Pod."""
        await self._loop.stop()
        for task in self._syncs.values():
            task.cancel()
        await asyncio.gather(*self._syncs.values(), return_exceptions=True)
        stopping = [resolver.stop() for resolver in self._resolvers.values()]
        await asyncio.gather(*stopping, *self._ending)

    async def reconcile(self) -> None:
        """Run what workloads ask for, provide the Services in front, and write the statuses."""
        workloads = {name_of(t): t for kind in WORKLOADS for t in self._api.list(kind)}
        for name in set(self._resolvers) - set(workloads):
            gone = self._resolvers.pop(name)
            self._show_pods(name, [])
            self._ending.append(asyncio.create_task(gone.stop()))
        self._each(workloads, self._follow)
        self._provide()
        self._each(workloads, self._show)

    @staticmethod
    def _each(workloads: dict[Name, Object], work: Callable[[Name, Object], None]) -> None:
        for name, thing in workloads.items():
            try:
                work(name, thing)
            except Exception:
                # what one workload asks for must not take the others down
                log.exception("%s %s/%s cannot be run", thing["kind"], *name)

    def _follow(self, name: Name, workload: Object) -> None:
        if name in self._resolvers:
            self._resolvers[name].follow(workload)
        elif runs_coredns(workload):
            self._run(name, workload)

    def _show(self, name: Name, workload: Object) -> None:
        resolver = self._resolvers.get(name)
        self._show_pods(name, resolver.pods if resolver else [])
        if workload["kind"] == "Deployment":
            status = rollout_status(workload, resolver, time.time())
            write_status(self._api, workload, status, MANAGER)

    def _run(self, name: Name, workload: Object) -> None:
        make = partial(self._make, name[0])
        resolver = Resolver(workload, make, self._loop.poke)
        self._resolvers[name] = resolver
        (resolver.follow if self._started else lambda _: resolver.start())(workload)

    def _make(self, namespace: str, pod: str, template: Any) -> ResolverPod:
        config_maps = partial(self._api.get, "ConfigMap", namespace)
        return ResolverPod(pod, template, config_maps, self._clock, self._upstream)

    def _provide(self) -> None:
        """Let the Services that select a resolver lead to it."""
        found = {
            name_of(service): tcp_ports(service, resolver)
            for service in self._api.list("Service")
            for (namespace, _), resolver in self._resolvers.items()
            if namespace == service["metadata"]["namespace"] and selects_pods(service, resolver)
        }
        for name in self._provided - set(found):
            self._network.withdraw(*name)
        for name, ports in found.items():
            self._network.provide(*name, ports)
        self._provided = set(found)

    def _show_pods(self, name: Name, pods: list[ResolverPod]) -> None:
        """Keep the Pod objects of a resolver: those there are, and no others."""
        for pod in pods:
            thing, status = pod_object(name, pod)
            self._api.apply(thing, MANAGER)
            write_status(self._api, thing, status, MANAGER)
        wanted = {pod.name for pod in pods}
        for thing in self._api.list("Pod", name[0]):
            meta = thing["metadata"]
            if (meta.get("labels") or {}).get(RUN_BY) == name[1] and meta["name"] not in wanted:
                self._api.delete("Pod", name[0], meta["name"])

    def _notice(self, event: str, thing: Object) -> None:
        kind = thing["kind"]
        if kind == "Pod" and event == "DELETED":
            for (namespace, _), resolver in self._resolvers.items():
                if namespace == thing["metadata"]["namespace"]:
                    resolver.replace(thing["metadata"]["name"])
        elif kind in {*WORKLOADS, "Service"}:
            self._loop.poke()
        elif kind == "ConfigMap":
            self._sync_later(name_of(thing))

    def _sync_later(self, config_map: Name) -> None:
        """Let Pods see the change after the kubelet's delay, which later changes do not prolong."""
        under_way = self._syncs.get(config_map)
        if self._pods_using(config_map) and (under_way is None or under_way.done()):
            self._syncs[config_map] = asyncio.create_task(self._sync(config_map))

    async def _sync(self, config_map: Name) -> None:
        await self._clock.sleep(self._chance(*SYNC))
        for pod in self._pods_using(config_map):
            pod.sync()

    def _pods_using(self, config_map: Name) -> list[ResolverPod]:
        return [
            pod
            for (namespace, _), resolver in self._resolvers.items()
            for pod in resolver.pods
            if namespace == config_map[0] and pod.uses(config_map[1])
        ]
