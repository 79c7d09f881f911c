"""Webhook endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.tailscale.answers import read_object, text, texts
from sandbox.tailscale.routes.api import answer, done
from sandbox.tailscale.times import stamp
from sandbox.tailscale.webhooks import check_subscriptions


if TYPE_CHECKING:
    from sandbox.tailscale.answers import Shape
    from sandbox.tailscale.routes.api import Api, Call

READ, WRITE = "webhooks:read", "webhooks"
SHAPE: Shape = {"endpointUrl": text, "providerType": text, "subscriptions": texts}


def add(api: Api) -> None:
    """Add the endpoints."""
    api.add("GET", "/tailnet/{tailnet}/webhooks", listed, READ)
    api.add("POST", "/tailnet/{tailnet}/webhooks", create, WRITE)
    api.add("GET", "/webhooks/{endpointId}", get, READ)
    api.add("PATCH", "/webhooks/{endpointId}", change, WRITE)
    api.add("DELETE", "/webhooks/{endpointId}", delete, WRITE)
    api.add("POST", "/webhooks/{endpointId}/test", trial, WRITE)
    api.add("POST", "/webhooks/{endpointId}/rotate", rotate, WRITE)


async def listed(call: Call) -> web.StreamResponse:
    """List the endpoints."""
    return answer({"webhooks": call.tailnet.webhooks.all})


async def create(call: Call) -> web.StreamResponse:
    """Create an endpoint; this answer and that of a rotation hold its secret."""
    wanted = await read_object(call.request, SHAPE, "endpointUrl", "subscriptions")
    webhooks, created = call.tailnet.webhooks, stamp(call.tailnet.now())
    endpoint = webhooks.add(wanted, creator=call.caller.user, created=created)
    return answer(webhooks.with_secret(endpoint))


async def get(call: Call) -> web.StreamResponse:
    """Get an endpoint."""
    return answer(call.tailnet.webhooks.find(call.path("endpointId")))


async def change(call: Call) -> web.StreamResponse:
    """Change the subscriptions; the URL cannot be changed."""
    endpoint = call.tailnet.webhooks.find(call.path("endpointId"))
    wanted = await read_object(call.request, {"subscriptions": texts}, "subscriptions")
    check_subscriptions(wanted["subscriptions"])
    endpoint |= wanted | {"lastModified": stamp(call.tailnet.now())}
    call.tailnet.announcer.endpoint(endpoint, "webhookUpdated", call.caller.actor)
    return answer(endpoint)


async def delete(call: Call) -> web.StreamResponse:
    """Delete an endpoint: what is pending for it is dropped, and it is told."""
    endpoint = call.tailnet.webhooks.find(call.path("endpointId"))
    call.tailnet.courier.cancel(endpoint["endpointId"])
    call.tailnet.announcer.endpoint(endpoint, "webhookDeleted", call.caller.actor)
    call.tailnet.webhooks.delete(endpoint)
    return done()


async def trial(call: Call) -> web.StreamResponse:
    """Queue a test event."""
    call.tailnet.announcer.trial(call.tailnet.webhooks.find(call.path("endpointId")))
    return web.Response(status=202)


async def rotate(call: Call) -> web.StreamResponse:
    """Replace the endpoint's secret at once: the old one is not valid any more."""
    endpoint = call.tailnet.webhooks.find(call.path("endpointId"))
    call.tailnet.webhooks.rotate(endpoint)
    endpoint["lastModified"] = stamp(call.tailnet.now())
    return answer(call.tailnet.webhooks.with_secret(endpoint))
