"""The applications behind every Service: one HTTP server that says which Service it was asked as.

Envoy tells it by a header; what has no such go-between (a Service exposed by itself) gets a port.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web


if TYPE_CHECKING:
    from sandbox.tailnet.datapath import Streams

SERVICE_HEADER = "x-sandbox-service"


class Backends:
    """Real HTTP backends; every answer is JSON and names the Service in `x-served-by` too."""

    def __init__(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None))
        self._names: dict[int, str] = {}
        self.port = 0

    async def start(self) -> None:
        """Listen on a loopback port of its own."""
        await self._runner.setup()
        self.port = await self._listen()

    async def stop(self) -> None:
        """Close every port."""
        await self._runner.cleanup()

    async def connect(self, service: str) -> Streams:
        """Open a connection to `<namespace>/<service>:<port>`, as the cluster's network would."""
        found = next((port for port, name in self._names.items() if name == service), 0)
        if not found:
            found = await self._listen()
            self._names[found] = service
        return await asyncio.open_connection("127.0.0.1", found)

    async def _listen(self) -> int:
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[-1][1]
        return port

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        transport = request.transport
        port = transport.get_extra_info("sockname")[1] if transport else 0
        service = self._names.get(port) or request.headers.get(SERVICE_HEADER) or ""
        response = web.json_response(
            {"service": service, "host": request.host, "path": request.path_qs},
            headers={"x-served-by": service},
        )
        if request.headers.get("connection", "").lower() == "close":
            response.force_close()
            response.headers["connection"] = "close"
        return response
