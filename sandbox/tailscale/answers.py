"""How the API refuses, and how it reads a body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Check = Callable[[Any], bool]
    Shape = Mapping[str, Check]
    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NO_PERMISSION = "calling actor does not have enough permissions to perform this function"


class Refusal(Exception):
    """An answer other than 2xx: its status, and the message of its `{"message": ...}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def not_found() -> Refusal:
    """Return the plain 404."""
    return Refusal(404, "not found")


def forbidden() -> Refusal:
    """Return the 403 of a missing scope."""
    return Refusal(403, NO_PERMISSION)


@web.middleware
async def plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into Tailscale's errors; its 405 has no body (seen on the live API)."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response({"message": refusal.message}, status=refusal.status)
    except web.HTTPNotFound:
        return web.json_response({"message": "404 page not found"}, status=404)
    except web.HTTPMethodNotAllowed as error:
        return web.Response(status=405, headers={"Allow": ",".join(error.allowed_methods)})


def text(value: Any) -> bool:
    """Say whether it is a string."""
    return isinstance(value, str)


def flag(value: Any) -> bool:
    """Say whether it is a boolean."""
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    """Say whether it is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def mapping(value: Any) -> bool:
    """Say whether it is an object."""
    return isinstance(value, dict)


def texts(value: Any) -> bool:
    """Say whether it is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def text_map(value: Any) -> bool:
    """Say whether it is an object whose values are strings."""
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


async def read_json(request: web.Request) -> Any:
    """Return the JSON body; raise Refusal 400 for anything else."""
    try:
        return json.loads(await request.read())
    except ValueError:
        raise Refusal(400, "invalid JSON in request body") from None


async def read_object(request: web.Request, shape: Shape, *required: str) -> dict[str, Any]:
    """Return the fields of `shape` that the body has; raise Refusal 400 on a wrong type.

    As Go decodes it: unknown fields are ignored, null is the same as absent.
    """
    document = await read_json(request)
    if not isinstance(document, dict):
        raise Refusal(400, "request body must be a JSON object")
    return fitted(document, shape, *required)


def fitted(document: dict[str, Any], shape: Shape, *required: str) -> dict[str, Any]:
    """Return the fields of `shape` in the document; raise Refusal 400 on a wrong type."""
    fields = {key: document[key] for key in shape if document.get(key) is not None}
    for key, value in fields.items():
        if not shape[key](value):
            raise Refusal(400, f"invalid value for field {key!r}")
    for key in required:
        if key not in fields:
            raise Refusal(400, f"field {key!r} is required")
    return fields
