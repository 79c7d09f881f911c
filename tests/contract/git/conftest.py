"""Fixtures: a git host with a repository at each provider, and who takes its webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from sandbox.git import GitHost
from sandbox.standin import StandIn
from sandbox.threads import running
from tests.support.repositories import Clone, clone_url, routes


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROVIDERS = ("github", "gitlab", "gitea", "forgejo", "bitbucket")


class Taker(StandIn):
    """Takes webhooks; `status` is what it answers."""

    name = "taker"
    status = 202

    def add_routes(self, app: web.Application) -> None:
        """Take everything."""
        self.taken: list[tuple[dict[str, str], bytes]] = []
        app.router.add_post("/{path:.*}", self._take)

    def dump(self) -> dict[str, Any]:
        """There is no state."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """There is no state."""

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append((headers, await request.read()))
        return web.Response(status=self.status)


@dataclass
class Hosted:
    """The git host, the taker of its webhooks, and a clone whose remotes are the providers'."""

    host: GitHost
    taker: Taker
    clone: Clone
    main: str = ""


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Serve `<provider>/lab`, each with two routes on main."""
    folder: Path = tmp_path_factory.mktemp("git")
    host, taker = GitHost(folder / "bare", token="token"), Taker()
    for provider in PROVIDERS:
        host.add(provider, f"{provider}/lab")
    with running(host, taker):
        remotes = {provider: clone_url(host, f"{provider}/lab") for provider in PROVIDERS}
        made = Hosted(host, taker, Clone.new(folder / "clone", remotes))
        made.main = made.clone.commit(routes("ab"), remotes=PROVIDERS)
        yield made
