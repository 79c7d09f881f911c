"""Tailscale Services, below `/services` and, as the Go client calls it, `/vip-services`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.tailscale.answers import flag, read_object, text, text_map, texts
from sandbox.tailscale.routes.api import answer, done


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.answers import Shape
    from sandbox.tailscale.routes.api import Api, Call

READ, WRITE, HOSTS = "services:read", "services", "devices:core"
SHAPE: Shape = {
    "name": text,
    "displayName": text,
    "addrs": texts,
    "comment": text,
    "annotations": text_map,
    "ports": texts,
    "tags": texts,
}


def add(api: Api) -> None:
    """Add the endpoints."""
    for path in ("/tailnet/{tailnet}/services", "/tailnet/{tailnet}/vip-services"):
        one = path + "/{serviceName}"
        approval = one + "/device/{deviceId}/approved"
        api.add("GET", path, listed, READ)
        api.add("GET", one, get, READ)
        api.add("PUT", one, put, WRITE)
        api.add("DELETE", one, delete, WRITE)
        api.add("GET", f"{one}/devices", hosts, WRITE, HOSTS)
        api.add("GET", approval, get_approval, WRITE, HOSTS)
        api.add("POST", approval, set_approval, WRITE, HOSTS)


async def listed(call: Call) -> web.StreamResponse:
    """List all Services."""
    return answer({"vipServices": call.tailnet.vips.all})


async def get(call: Call) -> web.StreamResponse:
    """Get a Service."""
    return answer(call.tailnet.vips.find(call.path("serviceName")))


async def put(call: Call) -> web.StreamResponse:
    """Create, update or rename a Service."""
    wanted = await read_object(call.request, SHAPE)
    call.tailnet.policy.permit(wanted.get("tags", []))
    taken = call.tailnet.machines.labels() | call.tailnet.machines.addresses()
    return answer(call.tailnet.vips.put(call.path("serviceName"), wanted, taken=taken))


async def delete(call: Call) -> web.StreamResponse:
    """Delete a Service."""
    call.tailnet.vips.delete(call.path("serviceName"))
    return done()


async def hosts(call: Call) -> web.StreamResponse:
    """List the devices that host a Service."""
    return answer({"hosts": call.tailnet.vips.host_list(call.path("serviceName"))})


async def get_approval(call: Call) -> web.StreamResponse:
    """Say whether a device may host a Service."""
    node_id = call.tailnet.machines.find(call.path("deviceId"))["nodeId"]
    level = call.tailnet.vips.level(call.path("serviceName"), node_id)
    return answer({"approved": level != "not-approved", "autoApproved": level == "approved:auto"})


async def set_approval(call: Call) -> web.StreamResponse:
    """Let a device host a Service, or stop it."""
    body = await read_object(call.request, {"approved": flag})
    service = call.path("serviceName")
    node_id = call.tailnet.machines.find(call.path("deviceId"))["nodeId"]
    call.tailnet.vips.level(service, node_id)
    level = "approved:manual" if body.get("approved") else "not-approved"
    call.tailnet.vips.host(service, node_id, level)
    return await get_approval(call)
