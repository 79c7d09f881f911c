"""Keys: auth keys, OAuth clients, federated identities, API keys. Each kind has its own scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal, forbidden, read_object
from sandbox.tailscale.key_rules import SHAPE, described, new_key, trusted
from sandbox.tailscale.keys import SCOPE_OF_KIND
from sandbox.tailscale.routes.api import answer, done
from sandbox.tailscale.times import stamp


if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.tailscale.keys import Key
    from sandbox.tailscale.routes.api import Api, Call

CREATABLE = ("auth", "client", "federated")
CHANGEABLE = ("client", "federated")


def add(api: Api) -> None:
    """Add the endpoints; the scopes depend on the key and are asked for below."""
    api.add("GET", "/tailnet/{tailnet}/keys", listed)
    api.add("POST", "/tailnet/{tailnet}/keys", create)
    api.add("GET", "/tailnet/{tailnet}/keys/{keyId}", get)
    api.add("PUT", "/tailnet/{tailnet}/keys/{keyId}", change)
    api.add("DELETE", "/tailnet/{tailnet}/keys/{keyId}", delete)


async def listed(call: Call) -> web.StreamResponse:
    """List the active keys that the caller may see.

    Without `all=true`: an API key sees its user's keys, a trust credential those of its own kind
    (here always OAuth clients).
    """
    readable = [k for k, scope in SCOPE_OF_KIND.items() if call.caller.may(f"{scope}:read")]
    if not readable:
        raise forbidden()
    everything = call.request.query.get("all") == "true"
    keys = call.tailnet.keys
    shown = [
        keys.view(key)
        for key in keys.all
        if keys.is_valid(key) and key["keyType"] in readable and (everything or _is_near(call, key))
    ]
    return answer({"keys": shown})


def _is_near(call: Call, key: Key) -> bool:
    return bool(key.get("userId")) if call.caller.user else key["keyType"] == "client"


async def create(call: Call) -> web.StreamResponse:
    """Create a key; the answer is the only one that holds its secret."""
    body = await read_object(call.request, SHAPE)
    kind = body.get("keyType", "auth")
    if kind not in CREATABLE:
        raise Refusal(400, f"invalid keyType {kind!r}")
    call.caller.need(SCOPE_OF_KIND[kind])
    keys = call.tailnet.keys
    key = keys.add(new_key(body, call.caller, call.tailnet.policy, call.tailnet.now()))
    if kind == "federated":
        generated = f"api.tailscale.com/{call.tailnet.tailnet_id}-{key['id']}"
        key.setdefault("audience", generated)
    return answer(keys.with_secret(key))


async def get(call: Call) -> web.StreamResponse:
    """Get a key; everybody may look at the one in use."""
    key = call.tailnet.keys.find(call.path("keyId"))
    if key["id"] not in {call.caller.key_id, call.caller.token_id}:
        call.caller.need(f"{SCOPE_OF_KIND[key['keyType']]}:read")
    return answer(call.tailnet.keys.view(key))


async def change(call: Call) -> web.StreamResponse:
    """Replace scopes, tags, description and claims of a trust credential."""
    key = call.tailnet.keys.find(call.path("keyId"))
    kind: str = key["keyType"]
    call.caller.need(SCOPE_OF_KIND[kind])
    body = await read_object(call.request, SHAPE)
    if kind not in CHANGEABLE or body.get("keyType", kind) != kind:
        raise Refusal(400, f"a key of type {kind!r} cannot be changed so")
    if not call.tailnet.keys.is_valid(key):
        raise Refusal(400, "key is revoked")
    described(body)
    wanted: dict[str, Any] = trusted(kind, body, call.caller, call.tailnet.policy)
    described_as = {"description": body.get("description", "")}
    key |= wanted | described_as | {"updated": stamp(call.tailnet.now())}
    return answer(call.tailnet.keys.view(key))


async def delete(call: Call) -> web.StreamResponse:
    """Revoke a key; it can still be looked at."""
    keys = call.tailnet.keys
    key = keys.find(call.path("keyId"))
    call.caller.need(SCOPE_OF_KIND[key["keyType"]])
    if not keys.is_valid(key):
        raise Refusal(404, "not found")
    keys.revoke(key)
    return done()
