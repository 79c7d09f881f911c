"""DNS: global nameservers, preferences, search paths, split DNS, and all of it at once.

The document names no scopes here; tailscale.com/kb/1623 names `dns` and `dns:read`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal, flag, mapping, read_json, read_object, texts
from sandbox.tailscale.dns import domain
from sandbox.tailscale.routes.api import answer


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.answers import Shape
    from sandbox.tailscale.routes.api import Api, Call

READ, WRITE = "dns:read", "dns"


def add(api: Api) -> None:
    """Add the endpoints."""
    path = "/tailnet/{tailnet}/dns"
    api.add("GET", f"{path}/nameservers", nameservers, READ)
    api.add("POST", f"{path}/nameservers", set_nameservers, WRITE)
    api.add("GET", f"{path}/preferences", preferences, READ)
    api.add("POST", f"{path}/preferences", set_preferences, WRITE)
    api.add("GET", f"{path}/searchpaths", search_paths, READ)
    api.add("POST", f"{path}/searchpaths", set_search_paths, WRITE)
    api.add("GET", f"{path}/split-dns", split_dns, READ)
    api.add("PATCH", f"{path}/split-dns", update_split_dns, WRITE)
    api.add("PUT", f"{path}/split-dns", set_split_dns, WRITE)
    api.add("GET", f"{path}/configuration", configuration, READ)
    api.add("POST", f"{path}/configuration", set_configuration, WRITE)


async def nameservers(call: Call) -> web.StreamResponse:
    """Get the global nameservers."""
    return answer({"dns": call.tailnet.dns.nameservers})


async def set_nameservers(call: Call) -> web.StreamResponse:
    """Replace the global nameservers."""
    body = await read_object(call.request, {"dns": texts})
    call.tailnet.dns.set_nameservers(body.get("dns", []))
    magic = call.tailnet.dns.preferences["magicDNS"]
    return answer({"dns": call.tailnet.dns.nameservers, "magicDNS": magic})


async def preferences(call: Call) -> web.StreamResponse:
    """Say whether MagicDNS is on."""
    return answer({"magicDNS": call.tailnet.dns.preferences["magicDNS"]})


async def set_preferences(call: Call) -> web.StreamResponse:
    """Turn MagicDNS on or off."""
    body = await read_object(call.request, {"magicDNS": flag}, "magicDNS")
    call.tailnet.dns.set_magic_dns(on=body["magicDNS"])
    return await preferences(call)


async def search_paths(call: Call) -> web.StreamResponse:
    """Get the search paths."""
    return answer({"searchPaths": call.tailnet.dns.search_paths})


async def set_search_paths(call: Call) -> web.StreamResponse:
    """Replace the search paths."""
    body = await read_object(call.request, {"searchPaths": texts})
    call.tailnet.dns.search_paths = [domain(name) for name in body.get("searchPaths", [])]
    return await search_paths(call)


async def split_dns(call: Call) -> web.StreamResponse:
    """Get the nameservers of each split domain."""
    return answer(call.tailnet.dns.split_dns)


async def update_split_dns(call: Call) -> web.StreamResponse:
    """Change only the domains that are named."""
    call.tailnet.dns.update_split(await _split(call))
    return await split_dns(call)


async def set_split_dns(call: Call) -> web.StreamResponse:
    """Replace all domains."""
    call.tailnet.dns.replace_split(await _split(call))
    return await split_dns(call)


async def _split(call: Call) -> dict[str, list[str] | None]:
    body = await read_json(call.request)
    if not isinstance(body, dict) or not all(v is None or texts(v) for v in body.values()):
        raise Refusal(400, "request body must map domains to lists of nameservers")
    return body


def _resolvers(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and isinstance(item.get("address"), str)
        and flag(item.get("useWithExitNode", False))
        for item in value
    )


def _split_resolvers(value: Any) -> bool:
    return mapping(value) and all(v is None or _resolvers(v) for v in value.values())


def _preferences(value: Any) -> bool:
    return mapping(value) and all(
        flag(value.get(k, False)) for k in ("magicDNS", "overrideLocalDNS")
    )


CONFIGURATION: Shape = {
    "nameservers": _resolvers,
    "splitDNS": _split_resolvers,
    "searchPaths": texts,
    "preferences": _preferences,
}


async def configuration(call: Call) -> web.StreamResponse:
    """Get all DNS settings."""
    return answer(call.tailnet.dns.configuration())


async def set_configuration(call: Call) -> web.StreamResponse:
    """Replace all DNS settings."""
    call.tailnet.dns.configure(await read_object(call.request, CONFIGURATION))
    return await configuration(call)
