"""The API's endpoints, one module for each resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tailscale.answers import plainly
from sandbox.tailscale.routes import devices, dns, keys, oauth, policy, services, settings, webhooks
from sandbox.tailscale.routes.api import Api


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.standin import Tailscale


def add_routes(app: web.Application, tailnet: Tailscale) -> None:
    """Add every endpoint below `/api/v2`."""
    app.middlewares.append(plainly)
    oauth.add(app, tailnet)
    api = Api(app, tailnet)
    for resource in (devices, dns, keys, policy, services, settings, webhooks):
        resource.add(api)
