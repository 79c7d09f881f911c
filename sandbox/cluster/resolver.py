"""A workload of CoreDNS: its Pods, its rollouts, the ports on which it answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

from sandbox.cluster.resolver_pod import ResolverPod, coredns_container
from sandbox.dns import DnsServer


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.cluster.api import Object
    from sandbox.dns.wire import Client, Message
    from sandbox.tailnet.datapath import Streams

WORKLOADS = ("StatefulSet", "DaemonSet", "Deployment")
INTERNAL = ("cluster.local", "in-addr.arpa", "ip6.arpa")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Resolver:
    """The Pods of one workload, whatever its number of replicas: they read the same files.

    `make` returns a Pod for (name, template); `told` is called when the state has changed.
    """

    def __init__(
        self, deployment: Object, make: Callable[[str, Any], ResolverPod], told: Callable[[], None]
    ) -> None:
        self.deployment = deployment
        self.serving: ResolverPod | None = None
        self.coming: ResolverPod | None = None
        self._make = make
        self._told = told
        self._tasks: dict[ResolverPod, asyncio.Task[None]] = {}
        self._servers: dict[int, DnsServer] = {}
        self._opening = asyncio.Lock()
        self._made = 0

    @property
    def pods(self) -> list[ResolverPod]:
        """The Pods there are, the newest last."""
        return [pod for pod in (self.serving, self.coming) if pod]

    @property
    def domains(self) -> list[str]:
        """The zones that the serving Pod answers for, without the root and the cluster's own."""
        configuration = self.serving.coredns.configuration if self.serving else None
        zones = (
            [site.address.zone.strip(".") for site in configuration.sites] if configuration else []
        )
        return [zone for zone in dict.fromkeys(zones) if zone and not zone.endswith(INTERNAL)]

    def start(self) -> None:
        """Be there as after a long time."""
        if self._wanted():
            self.serving = self._new_pod()
            self.serving.start_at_once()
            self._let_live(self.serving)

    def follow(self, deployment: Object) -> None:
        """Scale, or roll out a changed template."""
        self.deployment = deployment
        if not self._wanted():
            self._drop(*self.pods)
        elif not self.pods or self.pods[-1].template != self._template():
            self._roll_out()

    def _roll_out(self) -> None:
        """Bring up a Pod of the template; the old one serves until it is ready, or goes first."""
        self._drop(*self.pods[1:])
        if self.serving and self.serving.template == self._template():
            return
        if self._recreates():
            self._drop(*self.pods)
        self._add_pod()

    def replace(self, name: str) -> None:
        """Make up for a Pod that somebody deleted, unless another one is coming up already."""
        gone = [pod for pod in self.pods if pod.name == name]
        if gone:
            self._drop(*gone)
            if not self.coming:
                self._add_pod()

    def _add_pod(self) -> None:
        self.coming = self._new_pod()
        self._let_live(self.coming)

    async def connect(self, port: int) -> Streams:
        """Open a TCP connection to the container's port; refused while no Pod is ready."""
        pod = self.serving
        if not (pod and pod.ready.is_set() and self._listens(pod, port)):
            raise ConnectionRefusedError("no resolver is ready on this port")
        async with self._opening:
            if port not in self._servers:
                server = DnsServer(self._handler(port), "127.0.0.1")
                await server.start()
                self._servers[port] = server
        return await asyncio.open_connection("127.0.0.1", self._servers[port].port)

    async def stop(self) -> None:
        """End every Pod and close every port."""
        tasks = list(self._tasks.values())
        self._drop(*self.pods)
        await asyncio.gather(*tasks, return_exceptions=True)
        async with self._opening:
            # closing a server while it accepts leaves its client hanging (CPython issue 109564)
            await asyncio.sleep(0.01)
            for server in self._servers.values():
                await server.stop()

    def _handler(self, port: int) -> Any:
        async def answer(message: Message, client: Client) -> Message | None:
            pod = self.serving
            return await pod.coredns.answer(message, client, port=port) if pod else None

        return answer

    @staticmethod
    def _listens(pod: ResolverPod, port: int) -> bool:
        configuration = pod.coredns.configuration
        sites = configuration.sites if configuration else ()
        return any(site.address.port == port for site in sites)

    def _wanted(self) -> bool:
        return bool(self.deployment["spec"].get("replicas", 1))

    def _template(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.deployment["spec"]["template"]
        return found

    def _recreates(self) -> bool:
        return (self.deployment["spec"].get("strategy") or {}).get("type") == "Recreate"

    def _new_pod(self) -> ResolverPod:
        self._made += 1
        template = self._template()
        revision = _letters(json.dumps(template, sort_keys=True), 10)
        name = f"{self.deployment['metadata']['name']}-{revision}-{_letters(str(self._made), 5)}"
        return self._make(name, template)

    def _let_live(self, pod: ResolverPod) -> None:
        self._tasks[pod] = asyncio.create_task(self._live(pod))
        self._told()

    async def _live(self, pod: ResolverPod) -> None:
        watching = asyncio.create_task(pod.live())
        try:
            await pod.ready.wait()
            if pod is self.coming:
                self._drop(*([self.serving] if self.serving else []))
                self.serving, self.coming = pod, None
            self._told()
            await watching
        finally:
            watching.cancel()
            pod.stop()

    def _drop(self, *pods: ResolverPod) -> None:
        for pod in pods:
            self._tasks.pop(pod).cancel()
            pod.stop()
            self.serving = None if pod is self.serving else self.serving
            self.coming = None if pod is self.coming else self.coming
        self._told()


def _letters(seed: str, count: int) -> str:
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:count])


def runs_coredns(workload: Mapping[str, Any]) -> bool:
    """Say whether the workload is a resolver that this world can run."""
    return coredns_container(workload["spec"]["template"].get("spec") or {}) is not None
