"""The tailnet's settings: a caller sees those that its scopes govern, perhaps none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tailscale.answers import read_object
from sandbox.tailscale.routes.api import answer
from sandbox.tailscale.settings import SHAPE, scope


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.routes.api import Api, Call


def add(api: Api) -> None:
    """Add the endpoints."""
    api.add("GET", "/tailnet/{tailnet}/settings", get)
    api.add("PATCH", "/tailnet/{tailnet}/settings", change)


async def get(call: Call) -> web.StreamResponse:
    """Get the settings that the caller may see; without any scope the live API answers `{}`."""
    settings = call.tailnet.settings
    return answer({k: v for k, v in settings.items() if call.caller.may(f"{scope(k)}:read")})


async def change(call: Call) -> web.StreamResponse:
    """Change the settings that are given."""
    wanted = await read_object(call.request, SHAPE)
    call.caller.need(*sorted({scope(name) for name in wanted}))
    call.tailnet.settings |= wanted
    return await get(call)
