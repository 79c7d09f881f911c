"""Who is asking, and how often: what every request passes before its route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.cloudflare.envelope import refusal
from sandbox.cloudflare.errors import Refused, forbidden, no_route, refused, unauthorized
from sandbox.cloudflare.tokens import Token, resource_of_zone


if TYPE_CHECKING:
    from sandbox.cloudflare.account import Account
    from sandbox.cloudflare.zones import Zone


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN = web.RequestKey("token", Token)
PREFIX = "/client/v4"
SLOW_DOWN = "Please wait and consider throttling your request speed"


def gate_of(account: Account) -> Any:
    """Return the middleware that authenticates, counts, and turns refusals into envelopes."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            token = _bearer(account, request)
            standing = account.limiter.count(token.id, account.clock.now())
            headers = standing.headers()
            if standing.exceeded:
                raise refused(971, SLOW_DOWN, status=429)
            request[TOKEN] = token
            response = await handler(request)
        except Refused as error:
            response = refusal(error)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = refusal(no_route(request.path))
        response.headers.update(headers)
        return response

    return gate


def _bearer(account: Account, request: web.Request) -> Token:
    try:
        return account.bearer(request.headers.get("Authorization"))
    except Refused as error:
        if error.status == 403 and request.path.endswith("/tokens/verify"):
            raise refused(1000, "Invalid API Token", status=401) from error
        raise


def zone_for(account: Account, request: web.Request, *titles: str) -> Zone:
    """Return the zone in the path if the token holds one of the permission groups there."""
    zone = account.zone(request.match_info["zone"], request.path)
    if not request[TOKEN].may(set(titles), resource_of_zone(zone.id, account.id)):
        raise forbidden() if "DNS Write" in titles else unauthorized()
    return zone


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the request's JSON object; raise Refused for anything else."""
    try:
        body = await request.json()
    except ValueError as error:
        raise refused(6007, "Malformed JSON in request body") from error
    if not isinstance(body, dict):
        raise refused(9207, "Request body is invalid.")
    return body
