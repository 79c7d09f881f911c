"""One Pod that runs CoreDNS: its mounts, its container's life, its restarts."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from sandbox.cluster.mounts import MountError, mounts
from sandbox.cluster.probes import Probe
from sandbox.coredns import CoreDNS, CorefileError, Version


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.clock import Clock
    from sandbox.cluster.mounts import ConfigMaps, Mount
    from sandbox.coredns.setup import Upstream

IMAGE = re.compile(r"(^|/)coredns(?=[:@]|$)")
# Seconds of the world: a small image that is on the node; the kubelet's documented back-off.
CONTAINER_START = 2.0
MOUNT_RETRY = 5.0
FIRST_BACKOFF, LAST_BACKOFF = 10.0, 300.0
# The kubelet writes it into every container; whom it names, the world's upstream answers for.
RESOLV_CONF = {"/etc/resolv.conf": "nameserver 10.96.0.10\n"}


def coredns_container(pod_spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the container that runs CoreDNS with mounts of ConfigMaps, or None."""
    for container in pod_spec.get("containers") or []:
        if IMAGE.search(container.get("image", "")) and mounts(pod_spec, container):
            found: Mapping[str, Any] = container
            return found
    return None


def corefile_path(container: Mapping[str, Any]) -> str:
    """Return what `-conf` says; without it CoreDNS reads `Corefile` where it starts."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    text = " ".join(str(word) for word in words)
    found = re.search(r"(?:^|\s)--?conf[=\s]+(\S+)", text)
    return found.group(1) if found else "/Corefile"


class ResolverPod:
    """A Pod from a Deployment's template. `state` is what `kubectl get pods` would print."""

    def __init__(
        self,
        name: str,
        template: Mapping[str, Any],
        config_maps: ConfigMaps,
        clock: Clock,
        upstream: Upstream,
    ) -> None:
        self.name = name
        self.template = template
        self.state = "ContainerCreating"
        self.ready = asyncio.Event()
        self.restarts = 0
        self._config_maps = config_maps
        self._clock = clock
        container = coredns_container(template["spec"]) or {}
        self._readiness = Probe.of(container, "readinessProbe")
        self._liveness = Probe.of(container, "livenessProbe")
        self._content: dict[Mount, dict[str, str]] = {
            mount: {} for mount in mounts(template["spec"], container)
        }
        self.coredns = CoreDNS(
            self._files,
            clock,
            upstream,
            environment={v["name"]: v.get("value", "") for v in container.get("env") or []},
            version=Version.of_image(container.get("image", "")),
            path=corefile_path(container),
        )

    def _files(self) -> dict[str, str]:
        mounted = {k: v for files in self._content.values() for k, v in files.items()}
        return RESOLV_CONF | mounted

    def uses(self, config_map: str) -> bool:
        """Say whether a change of the ConfigMap reaches this Pod."""
        return any(m.config_map == config_map and not m.sub_path for m in self._content)

    def sync(self) -> None:
        """Swap the volumes' content for what the ConfigMaps hold now, as the kubelet does.

        A ConfigMap that is deleted under a running Pod leaves its files there.
        """
        for mount in self._content:
            if not mount.sub_path:
                with contextlib.suppress(MountError):
                    self._content[mount] = mount.files(self._config_maps)

    def start_at_once(self) -> None:
        """Run as after a long time, without any delay; what fails is tried again by `live`."""
        with contextlib.suppress(MountError, CorefileError):
            self._mount()
            self._run()
            self._see_whether_ready()

    async def live(self) -> None:
        """Start, crash, wait and start again; serve until cancelled."""
        if self.state == "ContainerCreating":
            await self._until_mounted()
        while True:
            if self.state != "Running":
                await self._until_running()
                await self._clock.sleep(self._readiness.delay)
            watching = asyncio.create_task(self.coredns.watch())
            try:
                await self._until_unhealthy()
            finally:
                watching.cancel()
            self.restarts += 1
            self.stop()
            self.state = "Starting"

    async def _until_unhealthy(self) -> None:
        """Probe; return when the liveness probe has failed too often."""
        failed = 0
        while failed < self._liveness.failures:
            self._see_whether_ready()
            await self._clock.sleep(min(self._liveness.period, self._readiness.period))
            failed = 0 if self._liveness.passes(self.coredns) else failed + 1

    def _see_whether_ready(self) -> None:
        if self._readiness.passes(self.coredns):
            self.ready.set()
        else:
            self.ready.clear()

    def stop(self) -> None:
        """End the container."""
        self.ready.clear()
        self.coredns.stop()

    async def _until_mounted(self) -> None:
        await self._clock.sleep(CONTAINER_START)
        while True:
            try:
                return self._mount()
            except MountError:
                await self._clock.sleep(MOUNT_RETRY)

    async def _until_running(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            try:
                return self._run()
            except CorefileError:
                self.restarts += 1
                await self._clock.sleep(backoff)
                backoff = min(2 * backoff, LAST_BACKOFF)

    def _mount(self) -> None:
        """Mount every volume; raise MountError for the first that cannot be."""
        for mount in self._content:
            self._content[mount] = mount.files(self._config_maps)
        self.state = "Starting"

    def _run(self) -> None:
        try:
            self.coredns.start()
        except CorefileError:
            self.state = "CrashLoopBackOff"
            raise
        self.state = "Running"
