"""The policy file, as HuJSON or, to who accepts only that, as JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.tailscale.policy import parse_hujson
from sandbox.tailscale.routes.api import answer


if TYPE_CHECKING:
    from sandbox.tailscale.routes.api import Api, Call

READ, WRITE = "policy_file:read", "policy_file"


def add(api: Api) -> None:
    """Add the endpoints."""
    api.add("GET", "/tailnet/{tailnet}/acl", get, READ)
    api.add("POST", "/tailnet/{tailnet}/acl", replace, WRITE)
    api.add("POST", "/tailnet/{tailnet}/acl/validate", validate, READ)


async def get(call: Call) -> web.StreamResponse:
    """Get the policy file; with `details=true` in base64, beside warnings and errors."""
    policy = call.tailnet.policy
    headers = {"ETag": policy.etag}
    if call.request.query.get("details") == "true":
        encoded = base64.b64encode(policy.text.encode()).decode()
        document = {"acl": encoded, "warnings": None, "errors": None}
        return web.json_response(document, headers=headers)
    if "application/json" in call.request.headers.get("Accept", ""):
        return web.json_response(parse_hujson(policy.text), headers=headers)
    return web.Response(text=policy.text, content_type="application/hujson", headers=headers)


async def replace(call: Call) -> web.StreamResponse:
    """Replace the policy file, if it still is what `If-Match` says."""
    source = await call.request.text()
    if_match = call.request.headers.get("If-Match", "")
    old = call.tailnet.policy.replace(source, if_match=if_match)
    call.tailnet.announcer.policy(old, source, call.caller.actor)
    return await get(call)


async def validate(call: Call) -> web.StreamResponse:
    """Check a policy file without setting it: an empty object means that it is fine."""
    problem = call.tailnet.policy.problem(await call.request.text())
    return answer({"message": problem} if problem else {})
