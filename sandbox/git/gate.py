"""Who is asking, and how often; what a repository's route begins with."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web


if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.clock import Clock
    from sandbox.git.state import Repository, State, Token

HOUR = 3600
REQUESTS = 5000


def refused(status: int, message: str, **headers: str) -> web.HTTPException:
    """Return a refusal as these hosts write it: a JSON object with a message."""
    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest,
        401: web.HTTPUnauthorized,
        403: web.HTTPForbidden,
        404: web.HTTPNotFound,
        422: web.HTTPUnprocessableEntity,
    }
    return kinds[status](
        text=f'{{"message": "{message}"}}', content_type="application/json", headers=headers
    )


@dataclass
class Gate:
    """Tokens, rights and GitHub's hourly limit; `folder` holds the bare repositories."""

    state: State
    folder: Path
    clock: Clock
    limit: int = REQUESTS
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def repository(
        self, request: web.Request, providers: Iterable[str], right: str = "contents"
    ) -> Repository:
        """Return the repository in the path; raise 401, 403, or 404 for what may not be seen."""
        token = self.token(request)
        info = request.match_info
        name = unquote(info["project"]) if "project" in info else f"{info['owner']}/{info['repo']}"
        found = self.state.repository(name, *providers)
        if found is None or token is None or not token.sees(name):
            raise refused(404, "Not Found")
        if right not in token.rights:
            raise refused(403, "Resource not accessible by personal access token")
        return found

    def token(self, request: web.Request) -> Token | None:
        """Return who asks, None for nobody; raise 401 for a token that is none."""
        given = _given(request)
        if not given:
            return None
        token = next((one for one in self.state.tokens if one.value == given), None)
        if token is None:
            raise refused(401, "Bad credentials")
        return token

    def where(self, repository: Repository) -> Path:
        """Return its bare repository."""
        return self.folder / repository.folder

    def count(self, request: web.Request) -> dict[str, str]:
        """Count a request; return GitHub's headers, and raise its 403 for one too many."""
        who, now = _given(request) or "anonymous", self.clock.now()
        began, used = self._windows.get(who, (now, 0))
        if now - began >= HOUR:
            began, used = now, 0
        self._windows[who] = (began, used + 1)
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - used - 1, 0)),
            "X-RateLimit-Reset": str(math.ceil(began + HOUR)),
            "X-RateLimit-Resource": "core",
        }
        if used >= self.limit:
            raise refused(403, "API rate limit exceeded", **headers)
        return headers


def _given(request: web.Request) -> str:
    """Return the token of a request: a bearer, GitLab's own header, or a Basic password."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return "?"
    return value.strip() or request.headers.get("PRIVATE-TOKEN", "")


def api_of(gate: Gate) -> Any:
    """Return the middleware that counts requests of the APIs."""

    @web.middleware
    async def counted(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith(("/repos/", "/api/", "/2.0/", "/rest/")):
            headers = gate.count(request)
            response: web.StreamResponse = await handler(request)
            response.headers.update(headers)
            return response
        answer: web.StreamResponse = await handler(request)
        return answer

    return counted
