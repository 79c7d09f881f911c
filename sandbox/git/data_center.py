"""The same parts of Bitbucket Data Center's REST API, for the repositories of Bitbucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.git import commands
from sandbox.git.gate import refused


if TYPE_CHECKING:
    from sandbox.git.gate import Gate
    from sandbox.git.hooks import Hooks
    from sandbox.git.state import Repository

REPO = "/rest/api/latest/projects/{owner}/repos/{repo}"
STATES = ("INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED", "UNKNOWN")


class DataCenter:
    """The routes."""

    def __init__(self, gate: Gate, hooks: Hooks) -> None:
        self._gate, self._hooks = gate, hooks

    def routes(self) -> list[web.RouteDef]:
        """Return the API's routes."""
        return [
            web.get(REPO + "/archive", self._archive),
            web.get(REPO + "/commits", self._commits),
            web.get(REPO + "/pull-requests/{number:\\d+}/merge-base", self._base),
            web.post(REPO + "/commits/{sha}/builds", self._build),
        ]

    def _repository(self, request: web.Request, right: str = "contents") -> Repository:
        return self._gate.repository(request, ["bitbucket"], right)

    async def _commit(self, repository: Repository, ref: str) -> str:
        sha = await commands.commit_of(self._gate.where(repository), ref)
        if not sha:
            raise refused(404, "Commit does not exist in this repository")
        return sha

    async def _archive(self, request: web.Request) -> web.Response:
        """Pack a commit, in no folder unless one is asked for."""
        repository = self._repository(request)
        if request.query.get("format") not in {"tar.gz", "tgz"}:
            raise refused(400, "only tar.gz is packed here")
        sha = await self._commit(repository, request.query.get("at", "HEAD"))
        prefix = request.query.get("prefix", "").rstrip("/")
        body = await commands.archive(self._gate.where(repository), sha, prefix)
        return web.Response(body=body, content_type="application/octet-stream")

    async def _commits(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        sha = await self._commit(repository, request.query.get("until", "HEAD"))
        last = {"id": sha, "displayId": sha[:11]}
        return web.json_response({"values": [last], "size": 1, "isLastPage": True, "start": 0})

    async def _base(self, request: web.Request) -> web.Response:
        repository, number = self._repository(request), int(request.match_info["number"])
        pull = self._hooks.pull(repository.name, number)
        if pull is None:
            raise refused(404, "No such pull request")
        where = self._gate.where(repository)
        found = await commands.merge_base(where, pull.base, pull.head)
        return web.json_response({"id": found}) if found else web.Response(status=204)

    async def _build(self, request: web.Request) -> web.Response:
        repository = self._repository(request, "statuses")
        sha, body = await self._commit(repository, request.match_info["sha"]), await request.json()
        if not body.get("key") or body.get("state") not in STATES:
            raise refused(400, "key and state are required")
        if not 0 < len(body.get("url") or "") <= 450:
            raise refused(400, "a url of at most 450 characters is required")
        self._hooks.note_status(repository, sha, {**body, "context": body["key"]})
        return web.Response(status=204)
