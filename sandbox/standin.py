"""What every stand-in shares: an API port, an admin port, a request log, faults and saved state.

The admin API of each stand-in, on a port of its own:

    GET|DELETE /requests          [{at, method, path, query, status, body}], credentials redacted
    GET|PUT    /state             the whole state as JSON, in the wire format's words
    GET|POST|DELETE /faults       [{method, path, times, status, body, delay_ms, cut, truncate}]
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from sandbox.faults import Fault, truncated
from sandbox.files import write_atomically


if TYPE_CHECKING:
    from pathlib import Path
    from ssl import SSLContext

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY = 32 * 1024 * 1024
REDACTED = "(redacted)"


def redact(value: Any, secret_names: frozenset[str]) -> Any:
    """Return `value` with every field whose name is secret replaced, at any depth."""
    if isinstance(value, dict):
        return {
            k: REDACTED if k.lower() in secret_names and v else redact(v, secret_names)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [redact(item, secret_names) for item in value]
    return value


@dataclass
class StandIn(ABC):
    """A stateful server with an admin port; subclasses add routes and say what their state is.

    `path` names the file that keeps the state across restarts; without it, it lives in memory.
    """

    path: Path | None = None
    requests: list[dict[str, Any]] = field(default_factory=list, init=False)
    faults: list[Fault] = field(default_factory=list, init=False)
    base_url: str = field(default="", init=False)
    admin_url: str = field(default="", init=False)
    _runners: list[web.AppRunner] = field(default_factory=list, init=False)

    name: ClassVar[str]
    secret_names: ClassVar[frozenset[str]] = frozenset(
        {"client_secret", "secret", "token", "access_token", "value", "jwt", "authorization"}
    )

    @abstractmethod
    def add_routes(self, app: web.Application) -> None:
        """Add the API's own routes to its application."""

    def add_admin_routes(self, app: web.Application) -> None:
        """Add admin routes beyond the shared ones; by default there are none."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON, in the wire format's words."""

    @abstractmethod
    def load(self, state: dict[str, Any]) -> None:
        """Replace the whole state by what `dump` returned once; raise ValueError on nonsense."""

    def saved(self) -> dict[str, Any]:
        """Return what the file keeps: the state, and the secrets the admin API does not show."""
        return self.dump()

    def changed(self) -> None:
        """Save the state; called after every request that may have changed it."""
        if self.path:
            write_atomically(self.path, json.dumps(self.saved()).encode())

    async def start(
        self, *, port: int = 0, admin_port: int = 0, tls: SSLContext | None = None
    ) -> None:
        """Read the saved state, then listen on loopback; port 0 takes a free one."""
        if self.path and self.path.exists():
            self.load(json.loads(self.path.read_bytes()))
        app = web.Application(middlewares=[self._observed], client_max_size=MAX_BODY)
        self.add_routes(app)
        admin = web.Application(client_max_size=MAX_BODY)
        self._add_shared_admin_routes(admin)
        self.add_admin_routes(admin)
        self.base_url = await self._listen(app, port, tls)
        self.admin_url = await self._listen(admin, admin_port, None)

    async def stop(self) -> None:
        """Close both ports."""
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        self._runners.clear()

    async def _listen(self, app: web.Application, port: int, tls: SSLContext | None) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        self._runners.append(runner)
        bound = runner.addresses[0][1]
        return f"{'https' if tls else 'http'}://127.0.0.1:{bound}"

    @web.middleware
    async def _observed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log the request, then answer it, through the first fault that matches."""
        body = await request.read()
        entry = {
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "status": 0,
            "body": self.logged_body(request, body),
        }
        self.requests.append(entry)
        fault = next((f for f in self.faults if f.matches(request.method, request.path)), None)
        try:
            response = await (self._faulty(fault, request, handler) if fault else handler(request))
        except web.HTTPException as error:
            headers = {k: v for k, v in error.headers.items() if k.lower() != "content-length"}
            response = web.Response(status=error.status, text=error.text, headers=headers)
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            self.changed()
        entry["status"] = response.status
        return response

    async def _faulty(
        self, fault: Fault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.cut == "before":
            return self._cut(request)
        if fault.status or fault.body is not None:
            return web.json_response(fault.body, status=fault.status or 200)
        response = await handler(request)
        if fault.cut:
            return self._cut(request)
        if fault.truncate is not None and isinstance(response, web.Response):
            return truncated(response, fault.truncate)
        return response

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response(status=500)

    def logged_body(self, request: web.Request, body: bytes) -> Any:
        """Return what the log shows of a body: JSON or a form, credentials redacted."""
        return self._loggable(body, request.content_type)

    def _loggable(self, body: bytes, content_type: str) -> Any:
        if not body:
            return None
        if "json" in content_type or "yaml" in content_type:
            try:
                return redact(json.loads(body), self.secret_names)
            except ValueError:
                return body.decode(errors="replace")
        if "form" in content_type:
            pairs = (pair.partition("=") for pair in body.decode(errors="replace").split("&"))
            return redact({k: v for k, _, v in pairs}, self.secret_names)
        return f"({len(body)} bytes of {content_type})"

    def _add_shared_admin_routes(self, app: web.Application) -> None:
        app.router.add_get("/requests", self._get_requests)
        app.router.add_delete("/requests", self._delete_requests)
        app.router.add_get("/state", self._get_state)
        app.router.add_put("/state", self._put_state)
        app.router.add_get("/faults", self._get_faults)
        app.router.add_post("/faults", self._post_faults)
        app.router.add_delete("/faults", self._delete_faults)

    async def _get_requests(self, _: web.Request) -> web.Response:
        return web.json_response(self.requests)

    async def _delete_requests(self, _: web.Request) -> web.Response:
        self.requests.clear()
        return web.Response(status=204)

    async def _get_state(self, _: web.Request) -> web.Response:
        return web.json_response(self.dump())

    async def _put_state(self, request: web.Request) -> web.Response:
        try:
            self.load(await request.json())
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        self.changed()
        return web.Response(status=204)

    async def _get_faults(self, _: web.Request) -> web.Response:
        return web.json_response([fault.as_json() for fault in self.faults])

    async def _post_faults(self, request: web.Request) -> web.Response:
        document = await request.json()
        try:
            new = [
                Fault(**item) for item in (document if isinstance(document, list) else [document])
            ]
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.faults.extend(new)
        return web.json_response([fault.as_json() for fault in self.faults], status=201)

    async def _delete_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=204)
