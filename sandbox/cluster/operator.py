"""The Tailscale operator: a proxy, a device and a status for everything that asks for one.

Facts are those of operator 1.96 to 1.103: the state Secret is the device's identity, so a Pod that
is deleted comes back as the same device, and a deleted Secret makes a new one beside its offline
twin. A machine that registers with a proxy's hostname and tags *is* that proxy, made anew.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sandbox.cluster.api import write_status
from sandbox.cluster.exposed import DEFAULT_TAGS, exposed
from sandbox.cluster.exposed_status import status
from sandbox.cluster.ingress import frontend
from sandbox.cluster.loop import Loop
from sandbox.cluster.proxy_life import MANAGER, Proxy
from sandbox.cluster.proxy_objects import NAMESPACE, decoded, pod_name


if TYPE_CHECKING:
    from sandbox.cluster.api import Object
    from sandbox.cluster.certificates import Authority
    from sandbox.cluster.exposed import Exposed
    from sandbox.cluster.ground import Device, Ground
    from sandbox.cluster.planes import SharedPlane

REACTION = 1.0  # seconds of the world between a change and the status that follows
Key = tuple[str, str, str]


class Operator:
    """The controller. `reconcile` once before `start` gives the steady state at once."""

    def __init__(
        self,
        ground: Ground,
        plane: SharedPlane,
        authority: Authority,
        *,
        default_tags: tuple[str, ...] = DEFAULT_TAGS,
    ) -> None:
        self._ground = ground
        self._api = ground.api
        self._plane = plane
        self._authority = authority
        self._default_tags = default_tags
        self._proxies: dict[Key, Proxy] = {}
        self._loop = Loop(self.reconcile, ground.clock, REACTION)
        self._started = False

    def start(self) -> None:
        """Follow the changes of the cluster and of the tailnet."""
        self._started = True
        self._api.subscribe(self._notice)
        self._ground.tailnet.subscribe(self._hear)
        self._loop.start()

    async def stop(self) -> None:
        """Stop following, and whatever is under way."""
        await self._loop.stop()
        await asyncio.gather(*(proxy.stop() for proxy in self._proxies.values()))

    async def reconcile(self) -> None:
        """Give every exposed object its proxy and its status, and clean up behind the others."""
        wanted = {
            (item.kind, item.namespace, item.name): (item, thing)
            for item, thing in exposed(self._api, self._default_tags)
        }
        for key in set(self._proxies) - set(wanted):
            self._proxies.pop(key).remove()
        for key, (item, _) in wanted.items():
            if not item.fault:
                self._tend(key, item)
        await self._serve_ingresses([pair for pair in wanted.values() if pair[0].kind == "ingress"])
        for item, thing in wanted.values():
            found = status(item, thing, self._state(item), time.time())
            write_status(self._api, thing, found, MANAGER)

    def _tend(self, key: Key, item: Exposed) -> None:
        proxy = self._proxies.get(key)
        if proxy is None:
            proxy = self._proxies[key] = Proxy(item, self._ground)
            (proxy.restart if self._started else proxy.start)()
        elif not proxy.busy and self._lacks_something(proxy):
            proxy.restart()
        proxy.item = item
        proxy.listen()

    def _lacks_something(self, proxy: Proxy) -> bool:
        return any(self._api.get(kind, NAMESPACE, name) is None for kind, name in proxy.objects())

    def _state(self, item: Exposed) -> dict[str, object]:
        return decoded(self._api.get("Secret", NAMESPACE, pod_name(item)))

    async def _serve_ingresses(self, ingresses: list[tuple[Exposed, Object]]) -> None:
        found = []
        for item, thing in ingresses:
            fqdn = str(self._state(item).get("device_fqdn", "")).rstrip(".")
            if fqdn:
                found.append(frontend(self._api, thing, fqdn, self._authority.issue(fqdn)))
        await self._plane.serve(MANAGER, found)

    def _notice(self, _: str, thing: Object) -> None:
        in_own_namespace = thing["metadata"].get("namespace") == NAMESPACE
        if thing["kind"] in {"Service", "Ingress"} or (
            in_own_namespace and thing["kind"] in {"StatefulSet", "Pod", "Secret"}
        ):
            self._loop.poke()

    def _hear(self, kind: str, device: Device) -> None:
        """React to the tailnet as the proxies' own tailscaled would."""
        if kind in {"disconnected", "removed"}:
            self._ground.path.cut(device["nodeId"])
        proxies = self._proxies.values()
        if kind == "registered":
            for proxy in [proxy for proxy in proxies if proxy.owns(device)][:1]:
                proxy.adopt(device)
            return
        for proxy in [proxy for proxy in proxies if proxy.node_id == device["nodeId"]]:
            if kind == "removed":
                proxy.reissue()
            elif kind in {"renamed", "addressed"}:
                proxy.note()
