"""The git host itself: its repositories on disk, its APIs on one port, archives on another.

Besides what every stand-in has, its admin API takes:

    POST /repositories   {provider, name, branch, seed}: make one, from a folder's files if given
    POST /tokens         {value, repositories, rights}: let somebody in
    POST /hooks          {repository, url, secret, id}: add a webhook; answers its id
    POST /pulls          {repository, head, base}: open a pull request; answers its number
    POST /push           {repository, ref, before, after}: tell of a push, by default the last one
"""

from __future__ import annotations

import secrets
import stat
import sys
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.files import write_atomically
from sandbox.git import commands, smart_http
from sandbox.git.data_center import DataCenter
from sandbox.git.gate import REQUESTS, Gate, api_of
from sandbox.git.github import GitHub
from sandbox.git.hooks import Hooks
from sandbox.git.others import Others
from sandbox.git.state import Pull, Repository, State, Token
from sandbox.standin import StandIn


if TYPE_CHECKING:
    from pathlib import Path
    from ssl import SSLContext

PROVIDERS = ("github", "gitlab", "gitea", "forgejo", "bitbucket")
HOOK = """\
#!{python} -IS
import json, socket, sys
for line in sys.stdin:
    before, after, ref = line.split()
    body = json.dumps(dict(repository={name!r}, ref=ref, before=before, after=after))
    head = ["POST /push HTTP/1.0", "Host: localhost", "Content-Length: %d" % len(body), "", body]
    with socket.create_connection({admin!r}, 10) as stream:
        stream.sendall("\\r\\n".join(head).encode())
        while stream.recv(1024):
            pass
"""


class GitHost(StandIn):
    """Repositories below `folder`; `token` may do everything, and is made up when not given."""

    name = "git"

    def __init__(
        self,
        folder: Path,
        *,
        path: Path | None = None,
        token: str = "",
        clock: Clock | None = None,
        limit: int = REQUESTS,
    ) -> None:
        super().__init__(path=path)
        self.token = token or secrets.token_hex(20)
        self.gate = Gate(State(), folder, clock or Clock(), limit)
        self.hooks = Hooks(self.gate, self.changed)
        self.github = GitHub(self.gate, self.hooks)
        self._let_in()

    def add(self, provider: str, name: str, branch: str = "main", seed: Path | None = None) -> None:
        """Make a repository, or keep the one that is there; raise ValueError, GitError."""
        if provider not in PROVIDERS or name.count("/") != 1 or ".." in name:
            raise ValueError(f"{provider} {name} is no repository: give <owner>/<name>")
        if self.gate.state.repository(name) is None:
            self.gate.state.repositories.append(Repository(provider, name, branch))
        repository = self.gate.state.repository(name)
        if repository and not self.gate.where(repository).exists():
            commands.create(self.gate.where(repository), branch, seed)
        self._write_hooks()

    async def start(
        self, *, port: int = 0, admin_port: int = 0, tls: SSLContext | None = None
    ) -> None:
        """Start the APIs, then the port that archives come from."""
        await super().start(port=port, admin_port=admin_port, tls=tls)
        app = web.Application(middlewares=[self._observed])
        app.add_routes(self.github.codeload_routes())
        self.github.codeload = await self._listen(app, 0, tls)
        self._write_hooks()

    async def stop(self) -> None:
        """Close all ports, once what was told is delivered."""
        await self.hooks.settle()
        await super().stop()

    def add_routes(self, app: web.Application) -> None:
        """Add all APIs, and git's own HTTP."""
        app.middlewares.append(api_of(self.gate))
        app.add_routes(self.github.routes())
        app.add_routes(Others(self.gate, self.hooks).routes())
        app.add_routes(DataCenter(self.gate, self.hooks).routes())
        app.add_routes(smart_http.routes(self.gate))

    def add_admin_routes(self, app: web.Application) -> None:
        """Add what an operator does at a host's web site."""
        app.router.add_post("/repositories", self._post_repository)
        app.router.add_post("/tokens", self._post_token)
        app.router.add_post("/hooks", self._post_hook)
        app.router.add_post("/pulls", self._post_pull)
        app.router.add_post("/push", self._post_push)

    def dump(self) -> dict[str, Any]:
        """Return the state without secrets, and how often a token leaked to the archives' host."""
        state = self.gate.state.as_json()
        for token in state["tokens"]:
            del token["value"]
        for hook in state["hooks"]:
            del hook["secret"]
        return {**state, "leaked": self.github.leaked}

    def saved(self) -> dict[str, Any]:
        """Return the whole state."""
        return self.gate.state.as_json()

    def load(self, state: dict[str, Any]) -> None:
        """Replace the state; raise TypeError for what it is not."""
        self.gate.state = State.from_json(state)
        self._let_in()

    def _let_in(self) -> None:
        tokens = self.gate.state.tokens
        if all(token.value != self.token for token in tokens):
            tokens.append(Token(self.token))

    def _write_hooks(self) -> None:
        """Let each repository tell this process, wherever it listens now, of what is pushed."""
        for repository in self.gate.state.repositories if self.admin_url else ():
            file = self.gate.where(repository) / "hooks" / "post-receive"
            file.parent.mkdir(parents=True, exist_ok=True)
            host, _, port = self.admin_url.rpartition("/")[2].partition(":")
            text = HOOK.format(python=sys.executable, name=repository.name, admin=(host, int(port)))
            write_atomically(file, text.encode())
            file.chmod(file.stat().st_mode | stat.S_IXUSR)

    async def _post_repository(self, request: web.Request) -> web.Response:
        body = await request.json()
        seed = body.get("seed")
        try:
            self.add(body["provider"], body["name"], body.get("branch", "main"), seed)
        except (ValueError, commands.GitError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.changed()
        return web.json_response({}, status=201)

    async def _post_token(self, request: web.Request) -> web.Response:
        self.gate.state.tokens.append(Token(**await request.json()))
        self.changed()
        return web.json_response({}, status=201)

    async def _post_hook(self, request: web.Request) -> web.Response:
        body = await request.json()
        hook = self.hooks.add(body["repository"], body["url"], body["secret"], body.get("id") or 0)
        self.changed()
        return web.json_response({"id": hook.id}, status=201)

    async def _post_pull(self, request: web.Request) -> web.Response:
        body = await request.json()
        state = self.gate.state
        repository = self._named(body)
        number = 1 + sum(pull.repository == repository.name for pull in state.pulls)
        base = body.get("base") or repository.branch
        pull = Pull(repository.name, number, body["head"], base)
        state.pulls.append(pull)
        await self.hooks.propose(repository, pull, "opened")
        self.changed()
        return web.json_response({"number": number}, status=201)

    async def _post_push(self, request: web.Request) -> web.Response:
        body = await request.json()
        repository = self._named(body)
        ref = body.get("ref") or f"refs/heads/{repository.branch}"
        where = self.gate.where(repository)
        after = body.get("after") or await commands.commit_of(where, ref)
        before = body.get("before") or await commands.commit_of(where, f"{ref}~1")
        await self.hooks.received(repository, ref, before or commands.NOTHING, after)
        self.changed()
        return web.json_response({"before": before, "after": after}, status=202)

    def _named(self, body: dict[str, Any]) -> Repository:
        repository = self.gate.state.repository(body["repository"])
        if repository is None:
            raise web.HTTPNotFound(text="no such repository")
        return repository
