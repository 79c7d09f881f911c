"""`POST /oauth/token`: an OAuth client gets an access token for an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from sandbox.tailscale.access import token_answer
from sandbox.tailscale.routes.api import BASE, answer


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.standin import Tailscale


def add(app: web.Application, tailnet: Tailscale) -> None:
    """Add the endpoint."""

    async def token(request: web.Request) -> web.StreamResponse:
        form = dict(parse_qsl(await request.text()))
        header = request.headers.get("Authorization", "")
        return answer(token_answer(tailnet.keys, tailnet.policy, header, form))

    app.router.add_post(f"{BASE}/oauth/token", token)
