"""The tailnet's own admin routes: what machines and people do outside the API.

POST   /devices                    {hostname, tags?, user?, ephemeral?, os?, preauthorized?}
                                   -> 201, the device
POST   /devices/{id}/connect|disconnect                -> the device
POST   /devices/{id}/rename        {name}              -> the device
DELETE /devices/{id}                                   -> 204
POST   /services/{name}/hosts      {nodeId, approvalLevel?}    -> the Service's hosts
POST   /events                     {type, message?, data?} or a list of them, sent as they are
                                   to every endpoint subscribed to them        -> 202
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.tailscale.answers import Refusal, fitted, flag, read_json, read_object, text, texts
from sandbox.tailscale.events import event


if TYPE_CHECKING:
    from sandbox.tailscale.answers import Handler, Shape
    from sandbox.tailscale.standin import Tailscale

MACHINE: Shape = {
    "hostname": text,
    "tags": texts,
    "user": text,
    "ephemeral": flag,
    "os": text,
    "preauthorized": flag,
}


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response({"error": refusal.message}, status=refusal.status)


def add_admin_routes(app: web.Application, tailnet: Tailscale) -> None:
    """Add the routes."""
    admin = _Admin(tailnet)
    app.middlewares.append(_errors)
    app.router.add_post("/devices", admin.register)
    app.router.add_post("/devices/{id}/connect", admin.connect)
    app.router.add_post("/devices/{id}/disconnect", admin.disconnect)
    app.router.add_post("/devices/{id}/rename", admin.rename)
    app.router.add_delete("/devices/{id}", admin.remove)
    app.router.add_post("/services/{name}/hosts", admin.host)
    app.router.add_post("/events", admin.events)


class _Admin:
    def __init__(self, tailnet: Tailscale) -> None:
        self.tailnet = tailnet

    async def register(self, request: web.Request) -> web.Response:
        machine: dict[str, Any] = await read_object(request, MACHINE, "hostname")
        return web.json_response(self.tailnet.register(**machine), status=201)

    async def connect(self, request: web.Request) -> web.Response:
        return web.json_response(self.tailnet.connect(request.match_info["id"]))

    async def disconnect(self, request: web.Request) -> web.Response:
        return web.json_response(self.tailnet.disconnect(request.match_info["id"]))

    async def rename(self, request: web.Request) -> web.Response:
        body = await read_object(request, {"name": text}, "name")
        return web.json_response(self.tailnet.rename(request.match_info["id"], body["name"]))

    async def remove(self, request: web.Request) -> web.Response:
        self.tailnet.remove(request.match_info["id"], actor=self.tailnet.admin_login)
        return web.Response(status=204)

    async def host(self, request: web.Request) -> web.Response:
        shape: Shape = {"nodeId": text, "approvalLevel": text}
        body = await read_object(request, shape, "nodeId")
        node_id = self.tailnet.machines.find(body["nodeId"])["nodeId"]
        name = request.match_info["name"]
        self.tailnet.vips.host(name, node_id, body.get("approvalLevel", "approved:auto"))
        self.tailnet.changed()
        return web.json_response({"hosts": self.tailnet.vips.host_list(name)})

    async def events(self, request: web.Request) -> web.Response:
        document = await read_json(request)
        given = document if isinstance(document, list) else [document]
        self.tailnet.announcer.send(*(self._event(item) for item in given))
        self.tailnet.changed()
        return web.Response(status=202)

    def _event(self, given: Any) -> dict[str, Any]:
        shape: Shape = {"type": text, "message": text, "data": lambda value: value is not None}
        fields = fitted(given if isinstance(given, dict) else {}, shape, "type")
        made = event(fields["type"], self.tailnet.tailnet, self.tailnet.now(), "", None)
        return made | fields
