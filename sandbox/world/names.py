"""The DNS of the world: the public internet, a caching resolver, and the tailnet's own view."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sandbox.dns import CachingResolver, Client, DnsServer, DohServer, PublicDns, TailnetDns, serve
from sandbox.tailnet.datapath import CGNAT, ULA


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from ssl import SSLContext

    from sandbox.clock import Clock
    from sandbox.dns import Tailnet, Zones
    from sandbox.dns.wire import Message
    from sandbox.tailnet.datapath import DataPath

Elsewhere = dict[str, "Mapping[str, Sequence[str]]"]


class Names:
    """The world's name servers; `refresh` is awaited before a zone is looked at."""

    def __init__(
        self,
        zones: Zones,
        tailnet: Tailnet,
        path: DataPath,
        clock: Clock,
        *,
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.elsewhere: Elsewhere = {}
        self._public = PublicDns(zones, self.elsewhere)
        self._refresh = refresh
        self._path = path
        self._resolver = CachingResolver(self._recurse, clock)
        self._tailnet = TailnetDns(tailnet, self._resolver.answer, path.dial, clock)
        self._doh = DohServer(self._resolver.answer)
        self._servers: list[DnsServer] = []

    async def start(self, tls: SSLContext) -> None:
        """Listen on loopback: UDP and TCP for each view, and DoH."""
        for handler in (self._answer, self._on_tailnet):
            self._servers.append(await serve(handler))
        await self._doh.start(tls=tls)

    async def stop(self) -> None:
        """Close every port."""
        await self._doh.stop()
        for server in self._servers:
            await server.stop()

    def describe(self) -> dict[str, str]:
        """Return where the views are asked: `host:port`, and the DoH URL."""
        public, tailnet = (f"{server.host}:{server.port}" for server in self._servers)
        return {"public": public, "tailnet": tailnet, "doh": self._doh.url}

    async def _answer(self, query: Message, client: Client) -> Message | None:
        if self._refresh:
            await self._refresh()
        return await self._public.answer(query, client)

    async def _on_tailnet(self, query: Message, client: Client) -> Message | None:
        await self._path.refresh()
        return await self._tailnet.answer(query, client)

    async def _recurse(self, query: Message, client: Client) -> Message | None:
        if self._refresh:
            await self._refresh()
        return await self._public.recurse(query, client)

    async def from_pod(self, query: Message, host: str, _: int) -> Message:
        """Ask a name server from inside the cluster: any public resolver, no tailnet address."""
        if _is_on_tailnet(host):
            raise TimeoutError(f"a pod has no route to {host}")
        answer = await self._resolver.answer(query, Client())
        if answer is None:
            raise TimeoutError(f"{host} does not answer")
        return answer


def _is_on_tailnet(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address in CGNAT or address in ULA
