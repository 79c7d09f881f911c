"""GitHub's REST API (2022-11-28), the parts that read commits, set statuses and redeliver."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.git import commands
from sandbox.git.gate import refused


if TYPE_CHECKING:
    from sandbox.git.gate import Gate
    from sandbox.git.hooks import Hooks
    from sandbox.git.state import Delivery, Repository

STATES = ("error", "failure", "pending", "success")
REPO = "/repos/{owner}/{repo}"
LINK = 'rel="next"'


class GitHub:
    """The routes; archives are fetched from `codeload`, another origin, with a one-time token."""

    def __init__(self, gate: Gate, hooks: Hooks) -> None:
        self._gate, self._hooks = gate, hooks
        self.codeload = ""
        self.leaked = 0
        self._tickets: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the API's routes."""
        return [
            web.get(REPO + "/{kind:tarball|zipball}/{ref:.+}", self._archive),
            web.get(REPO + "/git/ref/{ref:.+}", self._ref),
            web.get(REPO + "/compare/{basehead:.+}", self._compare),
            web.get(REPO + "/pulls/{number:\\d+}", self._pull),
            web.post(REPO + "/statuses/{sha}", self._post_status),
            web.get(REPO + "/commits/{ref}/statuses", self._statuses),
            web.get(REPO + "/hooks/{hook:\\d+}/deliveries", self._deliveries),
            web.post(REPO + "/hooks/{hook:\\d+}/deliveries/{id:\\d+}/attempts", self._redeliver),
        ]

    def codeload_routes(self) -> list[web.RouteDef]:
        """Return the routes of the host that archives come from."""
        return [web.get("/{owner}/{repo}/legacy.{kind}/{sha}", self._download)]

    def _repository(self, request: web.Request, right: str = "contents") -> Repository:
        return self._gate.repository(request, ["github"], right)

    async def _archive(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        where = self._gate.where(repository)
        sha = await commands.commit_of(where, request.match_info["ref"])
        if not sha:
            raise refused(404, "Not Found")
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = f"{repository.name} {sha}"
        kind = "tar.gz" if request.match_info["kind"] == "tarball" else "zip"
        place = f"{self.codeload}/{repository.name}/legacy.{kind}/{sha}?token={ticket}"
        return web.Response(status=302, headers={"Location": place})

    async def _download(self, request: web.Request) -> web.Response:
        info = request.match_info
        name, sha = f"{info['owner']}/{info['repo']}", info["sha"]
        if "Authorization" in request.headers:
            self.leaked += 1  # it is another origin's
        if self._tickets.pop(request.query.get("token", ""), "") != f"{name} {sha}":
            raise web.HTTPNotFound(text="404: Not Found")
        repository = self._gate.state.repository(name, "github")
        if repository is None:
            raise web.HTTPNotFound(text="404: Not Found")
        prefix = f"{info['owner']}-{info['repo']}-{sha[:7]}"
        body = await commands.archive(self._gate.where(repository), sha, prefix, info["kind"])
        named = {"Content-Disposition": f"attachment; filename={prefix}.{info['kind']}"}
        return web.Response(body=body, content_type="application/x-gzip", headers=named)

    async def _ref(self, request: web.Request) -> web.Response:
        repository, ref = self._repository(request), f"refs/{request.match_info['ref']}"
        sha = await commands.commit_of(self._gate.where(repository), ref)
        if not sha:
            raise refused(404, "Not Found")
        return web.json_response({"ref": ref, "object": {"sha": sha, "type": "commit"}})

    async def _compare(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        base, _, head = request.match_info["basehead"].partition("...")
        where = self._gate.where(repository)
        shas = [await commands.commit_of(where, ref) for ref in (base, head)]
        found = await commands.merge_base(where, *shas) if all(shas) else ""
        if not found:
            raise refused(404, "Not Found")
        return web.json_response({"merge_base_commit": {"sha": found}, "files": [], "commits": []})

    async def _pull(self, request: web.Request) -> web.Response:
        repository, number = self._repository(request), int(request.match_info["number"])
        pull = self._hooks.pull(repository.name, number)
        if pull is None:
            raise refused(404, "Not Found")
        where = self._gate.where(repository)
        ends = {
            end: {"ref": branch, "sha": await commands.commit_of(where, branch)}
            for end, branch in (("head", pull.head), ("base", pull.base))
        }
        return web.json_response({"number": number, "state": "open", **ends})

    async def _post_status(self, request: web.Request) -> web.Response:
        repository = self._repository(request, "statuses")
        sha = await commands.commit_of(self._gate.where(repository), request.match_info["sha"])
        body = await request.json()
        too_long = len(body.get("description") or "") > 140
        if not sha or body.get("state") not in STATES or too_long:
            raise refused(422, "Validation Failed")
        return web.json_response(self._hooks.note_status(repository, sha, body), status=201)

    async def _statuses(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        sha = await commands.commit_of(self._gate.where(repository), request.match_info["ref"])
        return web.json_response(self._hooks.statuses(repository, sha))

    async def _deliveries(self, request: web.Request) -> web.Response:
        self._hook(request)
        hook, most = int(request.match_info["hook"]), int(request.query.get("per_page", 30))
        found = [one for one in self._gate.state.deliveries if one.hook == hook]
        return web.json_response([_shown(one) for one in found[::-1][: min(most, 100)]])

    async def _redeliver(self, request: web.Request) -> web.Response:
        self._hook(request)
        if not self._hooks.redeliver(int(request.match_info["id"])):
            raise refused(404, "Not Found")
        return web.json_response({}, status=202)

    def _hook(self, request: web.Request) -> None:
        repository = self._repository(request, "hooks")
        hook = self._hooks.hook(int(request.match_info["hook"]))
        if hook is None or hook.repository != repository.name:
            raise refused(404, "Not Found")


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": delivery.delivered_at,
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }
