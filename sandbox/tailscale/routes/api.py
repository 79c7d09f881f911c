"""What every endpoint shares: the base path, who calls, and the scopes it asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.tailscale.access import authenticate
from sandbox.tailscale.answers import Refusal


if TYPE_CHECKING:
    from sandbox.tailscale.access import Caller
    from sandbox.tailscale.standin import Tailscale

BASE = "/api/v2"


@dataclass(frozen=True)
class Call:
    """One request, authenticated, and the tailnet that it is about."""

    tailnet: Tailscale
    caller: Caller
    request: web.Request

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]


Endpoint = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Api:
    """Adds endpoints, and remembers which scopes each one asks for."""

    app: web.Application
    tailnet: Tailscale
    scopes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def add(self, method: str, path: str, endpoint: Endpoint, *scopes: str) -> None:
        """Serve the endpoint to callers who have all these scopes."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            header = request.headers.get("Authorization", "")
            caller = authenticate(self.tailnet.keys, header, self.tailnet.admin_login)
            self._check_tailnet(request.match_info.get("tailnet", "-"))
            caller.need(*scopes)
            return await endpoint(Call(self.tailnet, caller, request))

        self.scopes[method, path] = scopes
        self.app.router.add_route(method, BASE + path, guarded)

    def _check_tailnet(self, name: str) -> None:
        if name not in {"-", self.tailnet.tailnet, self.tailnet.tailnet_id}:
            raise Refusal(404, f'tailnet "{name}" not found')


def answer(document: Any) -> web.Response:
    """Answer 200 with a document."""
    return web.json_response(document)


def done() -> web.Response:
    """Answer 200 with the empty object that the API sends when there is nothing to say."""
    return answer({})
