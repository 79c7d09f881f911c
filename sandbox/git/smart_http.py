"""git's own HTTP: clone, fetch and push at `/<owner>/<repository>.git`, by `git http-backend`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.git.commands import ENVIRONMENT


if TYPE_CHECKING:
    from sandbox.git.gate import Gate

PATH = "/{owner}/{repo}.git/{rest:.+}"


def routes(gate: Gate) -> list[web.RouteDef]:
    """Return the routes; the token is the password, whatever the user's name."""

    async def answer(request: web.Request) -> web.Response:
        if gate.token(request) is None:
            asked = {"WWW-Authenticate": 'Basic realm="git"'}
            raise web.HTTPUnauthorized(headers=asked)
        repository = gate.repository(request, ())
        path = f"/{repository.folder}/{request.match_info['rest']}"
        return _response(await _backend(gate, request, path))

    return [web.get(PATH, answer), web.post(PATH, answer)]


async def _backend(gate: Gate, request: web.Request, path: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(gate.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "sandbox",
        },
    )
    output, _ = await process.communicate(await request.read())
    return output


def _response(output: bytes) -> web.Response:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, body=body, headers=headers)
