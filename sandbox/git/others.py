"""The same parts of GitLab's API v4, Gitea's and Forgejo's v1, and Bitbucket Cloud's 2.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.git import commands
from sandbox.git.gate import refused


if TYPE_CHECKING:
    from sandbox.git.gate import Gate
    from sandbox.git.hooks import Hooks
    from sandbox.git.state import Repository

GITLAB = "/api/v4/projects/{project:[^/]+}"
GITEA = "/api/v1/repos/{owner}/{repo}"
BITBUCKET = "/2.0/repositories/{owner}/{repo}"
PROVIDERS = {"/api/v4": ("gitlab",), "/api/v1": ("gitea", "forgejo")}
STATES = {
    "gitlab": ("pending", "running", "success", "failed", "canceled"),
    "gitea": ("pending", "success", "error", "failure", "warning"),
    "forgejo": ("pending", "success", "error", "failure", "warning"),
    "bitbucket": ("INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"),
}


class Others:
    """The routes of the three."""

    def __init__(self, gate: Gate, hooks: Hooks) -> None:
        self._gate, self._hooks = gate, hooks

    def routes(self) -> list[web.RouteDef]:
        """Return the APIs' routes."""
        return [
            web.get(GITLAB + "/repository/archive.tar.gz", self._gitlab_archive),
            web.get(GITLAB + "/repository/branches/{branch}", self._branch),
            web.get(GITLAB + "/repository/merge_base", self._gitlab_base),
            web.post(GITLAB + "/statuses/{sha}", self._gitlab_status),
            web.get(GITLAB + "/repository/commits/{sha}/statuses", self._statuses),
            web.get(GITEA + "/archive/{sha:.+}.tar.gz", self._gitea_archive),
            web.get(GITEA + "/branches/{branch:.+}", self._branch),
            web.get(GITEA + "/pulls/{number:\\d+}", self._gitea_pull),
            web.post(GITEA + "/statuses/{sha}", self._gitea_status),
            web.get(GITEA + "/commits/{sha}/statuses", self._statuses),
            web.get("/{owner}/{repo}/get/{sha:.+}.tar.gz", self._bitbucket_archive),
            web.get(BITBUCKET + "/refs/branches/{branch:.+}", self._branch),
            web.get(BITBUCKET + "/merge-base/{span:.+}", self._bitbucket_base),
            web.post(BITBUCKET + "/commit/{sha}/statuses/build", self._bitbucket_status),
            web.get(BITBUCKET + "/commit/{sha}/statuses", self._statuses),
        ]

    def _repository(self, request: web.Request, right: str = "contents") -> Repository:
        providers = PROVIDERS.get(request.path[:7], ("bitbucket",))
        return self._gate.repository(request, providers, right)

    async def _commit(self, repository: Repository, ref: str) -> str:
        sha = await commands.commit_of(self._gate.where(repository), ref)
        if not sha:
            raise refused(404, "Not Found")
        return sha

    async def _packed(self, repository: Repository, ref: str, prefix: str) -> web.Response:
        sha = await self._commit(repository, ref)
        body = await commands.archive(self._gate.where(repository), sha, prefix.format(sha=sha))
        return web.Response(body=body, content_type="application/octet-stream")

    async def _gitlab_archive(self, request: web.Request) -> web.Response:
        repository, ref = self._repository(request), request.query.get("sha", "HEAD")
        slug = repository.name.rpartition("/")[2]
        return await self._packed(repository, ref, f"{slug}-{ref}-{{sha}}")

    async def _gitea_archive(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        slug = repository.name.rpartition("/")[2].lower()
        return await self._packed(repository, request.match_info["sha"], slug)

    async def _bitbucket_archive(self, request: web.Request) -> web.Response:
        repository, ref = self._repository(request), request.match_info["sha"]
        if not request.headers.get("Authorization", "").startswith("Basic "):
            raise refused(404, "Not Found")  # the web site, unlike the API, knows no bearer
        return await self._packed(
            repository, ref, f"{repository.name.replace('/', '-')}-{{sha:.12}}"
        )

    async def _branch(self, request: web.Request) -> web.Response:
        repository, name = self._repository(request), unquote(request.match_info["branch"])
        sha = await self._commit(repository, f"refs/heads/{name}")
        where: dict[str, dict[str, Any]] = {
            "gitlab": {"commit": {"id": sha, "short_id": sha[:8]}},
            "bitbucket": {"type": "branch", "target": {"type": "commit", "hash": sha}},
        }
        return web.json_response(
            {"name": name, **where.get(repository.provider, {"commit": {"id": sha}})}
        )

    async def _base(self, repository: Repository, one: str, other: str) -> str:
        shas = [await self._commit(repository, ref) for ref in (one, other)]
        found = await commands.merge_base(self._gate.where(repository), *shas)
        if not found:
            raise refused(404, "Not Found")
        return found

    async def _gitlab_base(self, request: web.Request) -> web.Response:
        repository, refs = self._repository(request), request.query.getall("refs[]", [])
        if len(refs) < 2:
            raise refused(400, "Provide at least 2 refs")
        return web.json_response({"id": await self._base(repository, refs[0], refs[1])})

    async def _bitbucket_base(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        one, _, other = request.match_info["span"].partition("..")
        return web.json_response({"hash": await self._base(repository, one, other)})

    async def _gitea_pull(self, request: web.Request) -> web.Response:
        repository, number = self._repository(request), int(request.match_info["number"])
        pull = self._hooks.pull(repository.name, number)
        if pull is None:
            raise refused(404, "Not Found")
        base = await self._base(repository, pull.base, pull.head)
        head = {"ref": pull.head, "sha": await self._commit(repository, pull.head)}
        return web.json_response({"number": number, "merge_base": base, "head": head})

    async def _gitlab_status(self, request: web.Request) -> web.Response:
        repository, fields = self._repository(request, "statuses"), dict(request.query)
        sha = await self._commit(repository, request.match_info["sha"])
        context = fields.get("name") or fields.get("context") or "default"
        found = self._hooks.statuses(repository, sha)
        last = next((status for status in found if status["context"] == context), None)
        if len(fields.get("target_url", "")) > 255:
            raise refused(400, "target_url: is too long (maximum is 255 characters)")
        if last and last["state"] == fields.get("state"):
            raise refused(400, f"Cannot transition status via :enqueue from :{last['state']}")
        return self._noted(repository, sha, {**fields, "context": context})

    async def _gitea_status(self, request: web.Request) -> web.Response:
        repository = self._repository(request, "statuses")
        sha = await self._commit(repository, request.match_info["sha"])
        return self._noted(repository, sha, await request.json())

    async def _bitbucket_status(self, request: web.Request) -> web.Response:
        repository = self._repository(request, "statuses")
        sha, body = await self._commit(repository, request.match_info["sha"]), await request.json()
        if not body.get("key") or not 0 < len(body.get("url") or "") <= 450:
            raise refused(400, "key and a url of at most 450 characters are required")
        return self._noted(repository, sha, {**body, "context": body["key"]})

    def _noted(self, repository: Repository, sha: str, fields: dict[str, Any]) -> web.Response:
        if fields.get("state") not in STATES[repository.provider]:
            raise refused(400, "state does not have a valid value")
        return web.json_response(self._hooks.note_status(repository, sha, fields), status=201)

    async def _statuses(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        sha = await self._commit(repository, request.match_info["sha"])
        found = self._hooks.statuses(repository, sha)
        return web.json_response({"values": found} if request.path.startswith("/2.0") else found)
