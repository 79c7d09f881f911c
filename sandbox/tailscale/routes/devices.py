"""Devices: list, get, delete, and the settings an administrator may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal, flag, read_object, text, texts
from sandbox.tailscale.devices import matches, view
from sandbox.tailscale.routes.api import answer, done
from sandbox.tailscale.times import seconds, stamp


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.devices import Device
    from sandbox.tailscale.routes.api import Api, Call

READ, WRITE = "devices:core:read", "devices:core"


def add(api: Api) -> None:
    """Add the endpoints."""
    api.add("GET", "/tailnet/{tailnet}/devices", listed, READ)
    api.add("GET", "/device/{deviceId}", get, READ)
    api.add("DELETE", "/device/{deviceId}", delete, WRITE)
    api.add("POST", "/device/{deviceId}/name", name, WRITE)
    api.add("POST", "/device/{deviceId}/tags", tags, WRITE)
    api.add("POST", "/device/{deviceId}/authorized", authorized, WRITE)
    api.add("POST", "/device/{deviceId}/key", key, WRITE)
    api.add("POST", "/device/{deviceId}/ip", address, WRITE)
    api.add("POST", "/device/{deviceId}/expire", expire, WRITE)


def _every_field(call: Call) -> bool:
    fields = call.request.query.get("fields", "default")
    if fields not in {"all", "default"}:
        raise Refusal(400, f"invalid fields {fields!r}")
    return fields == "all"


def _own(call: Call) -> Device:
    """Return the device to change; one that is only shared into the tailnet cannot be."""
    device = call.tailnet.machines.find(call.path("deviceId"))
    if device["isExternal"]:
        raise Refusal(404, "no manageable device matching this ID found")
    return device


async def listed(call: Call) -> web.StreamResponse:
    """List the devices that match every `<field>=<value>` of the query exactly."""
    every_field = _every_field(call)
    filters = [(k, v) for k, v in call.request.query.items() if k != "fields"]
    found = [
        view(device, every_field=every_field)
        for device in call.tailnet.devices
        if all(matches(device, field, value) for field, value in filters)
    ]
    return answer({"devices": found})


async def get(call: Call) -> web.StreamResponse:
    """Get a device."""
    device = call.tailnet.machines.find(call.path("deviceId"))
    return answer(view(device, every_field=_every_field(call)))


async def delete(call: Call) -> web.StreamResponse:
    """Delete a device."""
    device = call.tailnet.machines.find(call.path("deviceId"))
    if device["isExternal"]:
        raise Refusal(501, "not implemented")
    call.tailnet.remove(device["nodeId"], actor=call.caller.actor)
    return done()


async def name(call: Call) -> web.StreamResponse:
    """Rename a device."""
    body = await read_object(call.request, {"name": text})
    call.tailnet.rename(_own(call)["nodeId"], body.get("name", ""))
    return done()


async def tags(call: Call) -> web.StreamResponse:
    """Replace a device's tags: from then on they own it, and nothing takes the last one off."""
    body = await read_object(call.request, {"tags": texts})
    device, wanted = _own(call), body.get("tags", [])
    if not wanted and device.get("tags"):
        raise Refusal(400, "tagged nodes cannot be untagged without reauth")
    call.tailnet.policy.permit(wanted)
    if wanted:
        device |= {"tags": wanted, "user": "tagged-devices", "keyExpiryDisabled": True}
    return done()


async def authorized(call: Call) -> web.StreamResponse:
    """Approve a device, or take its approval back."""
    body = await read_object(call.request, {"authorized": flag}, "authorized")
    device = _own(call)
    was, device["authorized"] = device["authorized"], body["authorized"]
    if body["authorized"] and not was:
        call.tailnet.announcer.node(device, "nodeApproved", actor=call.caller.actor)
    return done()


async def key(call: Call) -> web.StreamResponse:
    """Turn a device's key expiry off or on; the expiry time stays what it was."""
    body = await read_object(call.request, {"keyExpiryDisabled": flag}, "keyExpiryDisabled")
    _own(call).update(body)
    return done()


async def address(call: Call) -> web.StreamResponse:
    """Give a device another IPv4 address."""
    body: dict[str, Any] = await read_object(call.request, {"ipv4": text}, "ipv4")
    device = _own(call)
    busy = call.tailnet.vips.addresses()
    if body["ipv4"] in busy:
        raise Refusal(400, f"address {body['ipv4']} is already in use")
    call.tailnet.machines.move(device, body["ipv4"])
    call.tailnet.tell("addressed", device)
    return done()


async def expire(call: Call) -> web.StreamResponse:
    """Expire a device's key: until it authenticates again, it is cut off."""
    device, now = _own(call), call.tailnet.now()
    device |= {"expires": stamp(min(now, seconds(device["expires"]))), "keyExpiryDisabled": False}
    call.tailnet.announcer.node(device, "nodeKeyExpired")
    call.tailnet.disconnect(device["nodeId"])
    return done()
