"""The life of one Tailscale proxy: its Pod, its device, and the state Secret between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sandbox.cluster.proxy_objects import (
    NAMESPACE,
    decoded,
    pod,
    pod_name,
    proxy_name,
    state_secret,
    stateful_set,
)
from sandbox.cluster.workload_status import pod_status


if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sandbox.cluster.api import Object
    from sandbox.cluster.exposed import Exposed
    from sandbox.cluster.ground import Device, Ground

MANAGER = "tailscale-operator"
# Seconds of the world. The first is the grace period in the operator's proxy.yaml; the second is
# what logging in and writing the state takes, which nobody documents.
POD_RESTART = 10.0
LOGIN = 2.0


class Proxy:
    """One proxy. Its device is the one that the state Secret names."""

    def __init__(self, item: Exposed, ground: Ground) -> None:
        self.item = item
        self.node_id = ""
        self._ground = ground
        self._registering = False
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether it is starting, or taking note of a change."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Be there at once, as after a long time: keep the device that the Secret names.

        One that is offline stays so, unless its Pod was being replaced when the world ended.
        """
        known = self._known()
        if known and not self._pod():
            self._ground.tailnet.connect(known["nodeId"])
        self._run_pod()
        self._take(known or self._register())
        self._write()

    def restart(self) -> None:
        """Replace the Pod; without a state Secret the new one is a new device."""
        self._end_pod()
        self._begin(self._restart())

    def adopt(self, device: Device) -> None:
        """Be that device from now on; the one it was stays listed, offline."""
        self._end_pod()
        self._run_pod()
        self._take(device)
        self._begin(self._note())

    def reissue(self) -> None:
        """Log in again, as a new device, after somebody deleted the device."""
        self.node_id = ""
        self._begin(self._reissue())

    def note(self) -> None:
        """Write the device's new name or addresses into the state Secret, by and by."""
        if not self.busy:
            self._begin(self._note())

    def owns(self, device: Device) -> bool:
        """Say whether a machine that registered by itself is this proxy, made anew."""
        return (
            not self._registering
            and device["hostname"] == self.item.hostname
            and set(self.item.tags) <= set(device.get("tags") or [])
        )

    def remove(self) -> None:
        """Delete everything, the device included, as the operator cleans up."""
        self._cancel()
        node_id, self.node_id = self.node_id, ""
        if self._ground.device(node_id):
            self._ground.tailnet.remove(node_id)
        for kind, name in self.objects():
            self._ground.api.delete(kind, NAMESPACE, name)

    def objects(self) -> list[tuple[str, str]]:
        """Return (kind, name) of what must exist while it runs."""
        pod_and_secret = pod_name(self.item)
        return [
            ("StatefulSet", proxy_name(self.item)),
            ("Pod", pod_and_secret),
            ("Secret", pod_and_secret),
        ]

    def listen(self) -> None:
        """Let the device carry what is exposed now."""
        if self.node_id:
            self._ground.path.silence(self.node_id, but=self.item.ports)
            for port in self.item.ports:
                self._ground.path.listen(self.node_id, port, self._ground.connect(self.item, port))

    async def stop(self) -> None:
        """Stop what is under way."""
        task = self._task
        self._cancel()
        if task:
            await asyncio.gather(task, return_exceptions=True)

    async def _restart(self) -> None:
        await self._ground.clock.sleep(POD_RESTART)
        self._run_pod()
        known = self._known()
        if known:
            self._ground.tailnet.connect(known["nodeId"])
        self._take(known or self._register())
        await self._note()

    async def _reissue(self) -> None:
        await self._ground.clock.sleep(POD_RESTART)
        self._take(self._register())
        await self._note()

    async def _note(self) -> None:
        await self._ground.clock.sleep(LOGIN)
        self._write()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._cancel()
        self._task = asyncio.create_task(work)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    def _known(self) -> Device | None:
        secret = self._ground.api.get("Secret", NAMESPACE, pod_name(self.item))
        return self._ground.device(decoded(secret).get("device_id", ""))

    def _register(self) -> Device | None:
        self._registering = True
        try:
            return self._ground.tailnet.register(self.item.hostname, tags=self.item.tags)
        finally:
            self._registering = False

    def _take(self, device: Device | None) -> None:
        self.node_id = device["nodeId"] if device else ""
        self.listen()

    def _end_pod(self) -> None:
        self._ground.api.delete("Pod", NAMESPACE, pod_name(self.item))
        device = self._ground.device(self.node_id)
        if device and device["connectedToControl"]:
            self._ground.tailnet.disconnect(self.node_id)

    def _run_pod(self) -> None:
        own_set, own_pod = stateful_set(self.item), pod(self.item)
        for thing in (own_set, own_pod):
            self._ground.api.apply(thing, MANAGER)
        running = pod_status(own_pod["spec"], ready=True, state={"running": {}})
        self._ground.api.set_status(own_pod, running, "kubelet")
        counts = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas")
        self._ground.api.set_status(own_set, dict.fromkeys(counts, 1), "kubelet")

    def _pod(self) -> Object | None:
        return self._ground.api.get("Pod", NAMESPACE, pod_name(self.item))

    def _write(self) -> None:
        device, running = self._ground.device(self.node_id), self._pod()
        if device and running:
            uid = running["metadata"].get("uid", "")
            self._ground.api.apply(state_secret(self.item, device, uid), MANAGER)
