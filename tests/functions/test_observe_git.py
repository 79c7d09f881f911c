"""Observe Git: each pushed commit once, what is known of it kept, and a partial one at worst."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from functions import observe_git
from sandbox.git import GitHost
from sandbox.threads import running
from tailkeeper.adapters.lease import LeaseLost
from tailkeeper.adapters.memory import Memories
from tests.support.handlers import RUN, set_secret
from tests.support.repositories import Clone, admin, clone_url, routes


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack

NAME = "me/homelab"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hunter2}\n"


@dataclass
class Hosted:
    """The host, a clone, and its commits."""

    host: GitHost
    clone: Clone
    first: str
    second: str
    pull: str


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Serve a repository whose second commit takes a route away, and a request for one more."""
    folder = tmp_path_factory.mktemp("git")
    host = GitHost(folder / "bare", token="token")
    host.add("github", NAME)
    with running(host):
        clone = Clone.new(folder / "clone", {"origin": clone_url(host, NAME)})
        first = clone.commit(routes("ab") | {"apps/s.yaml": SECRET, "docs/c.yaml": "a: ["})
        second = clone.commit({"apps/b.yaml": None})
        pull = clone.commit(routes("c"), branch="feature")
        admin(host, "/pulls", {"repository": NAME, "head": "feature"})
        yield Hosted(host, clone, first, second, pull)


@pytest.fixture
def hosted(shared: Hosted, aws: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """Return the host, with our token in the stack's secret."""
    monkeypatch.setenv("GIT_URL", shared.host.base_url)
    set_secret("GIT_SECRET", {"github": "token"})
    shared.host.requests.clear()
    yield shared
    shared.host.faults.clear()


def push(branch: str, sha: str, before: str = "") -> dict[str, str]:
    """Return a push as Gather Causes found it."""
    given = {"provider": "github", "repository": NAME, "branch": branch, "sha": sha}
    return {**given, "at": "2026-11-21T23:00:00Z", "before": before}


def observed(aws: Stack, *pushes: dict[str, str], run: Any = RUN, **more: Any) -> list[Any]:
    """Run the state; return its commits."""
    repository = {"provider": "github", "name": NAME, "paths": ["apps/**"], **more}
    config = {"clusters": [{"name": "homelab"}], "repositories": [repository]}
    answer = observe_git.handler({"run": run, "config": config, "pushes": list(pushes)}, None)
    found: list[Any] = aws.artifacts.unpack(answer)
    return found


def names(part: dict[str, Any]) -> list[str]:
    """Return the names of a commit's objects."""
    return [one["object"]["metadata"]["name"] for one in part["objects"]]


def asked(hosted: Hosted, word: str) -> int:
    """Count the requests since whose path has a word in it."""
    return sum(word in request["path"] for request in hosted.host.requests)


def test_a_push_is_read_with_the_commit_before_it(aws: Stack, hosted: Hosted) -> None:
    """Paths that are not watched are not read, and no secret is kept."""
    (commit,) = observed(aws, push("main", hosted.second, hosted.first))

    assert (commit["key"], commit["cluster"], commit["why"]) == (
        f"github {NAME} main",
        "homelab",
        "",
    )
    assert (names(commit), names(commit["previous"])) == (["a"], ["a", "b"])
    assert (commit["broken"], commit["files"]) == ([], ["apps/a.yaml", "apps/s.yaml"])
    assert "hunter2" not in json.dumps(commit)
    assert asked(hosted, "/tarball/") == 2


def test_a_late_delivery_is_read_as_the_latest_commit(aws: Stack, hosted: Hosted) -> None:
    """Deliveries come in any order and again: the branch knows."""
    (commit,) = observed(aws, push("main", hosted.first))

    assert commit["commit"] == hosted.second


def test_a_commit_is_fetched_once(aws: Stack, hosted: Hosted) -> None:
    """However many rounds, retries and runs look at it."""
    for _ in range(3):
        observed(aws, push("main", hosted.second))

    assert asked(hosted, "/tarball/") == 1


def test_what_is_known_of_a_branch_is_not_read_again(aws: Stack, hosted: Hosted) -> None:
    """The memory takes the place of the commit before."""
    Memories(aws)._write("commits", {f"github {NAME} main": {}})

    (commit,) = observed(aws, push("main", hosted.second, hosted.first))

    assert commit["previous"] is None


def test_a_pull_request_is_compared_with_where_it_left(aws: Stack, hosted: Hosted) -> None:
    """Its head is the one that was told, since the status goes there."""
    (commit,) = observed(aws, push("pull/1", hosted.pull))

    assert (commit["commit"], commit["pull"]) == (hosted.pull, "1")
    assert (names(commit), names(commit["previous"])) == (["a", "c"], ["a"])


@pytest.mark.parametrize("status", [500, 404])
def test_a_host_that_fails_makes_one_commit_partial(
    aws: Stack, hosted: Hosted, status: int
) -> None:
    """The reason is told, and the run goes on."""
    fault = {"path": "*/git/ref/*", "times": 9, "status": status}
    httpx.post(f"{hosted.host.admin_url}/faults", json=fault)

    (commit,) = observed(aws, push("main", hosted.second))

    assert str(status) in commit["why"]
    assert commit["again"] == (status == 500), "what is not there stays away"
    assert "token" not in commit["why"].replace("the token may", "")
    assert commit["objects"] == []


def test_what_is_not_configured_is_not_read(aws: Stack, hosted: Hosted) -> None:
    """Nor is another branch."""
    assert observed(aws, push("other", hosted.first)) == []
    assert observed(aws, push("main", hosted.first), name="some/thing") == []
    assert hosted.host.requests == []


def test_a_lost_lease_ends_it(aws: Stack, hosted: Hosted) -> None:
    """Nothing is read for a run that is none any more."""
    with pytest.raises(LeaseLost):
        observed(aws, push("main", hosted.second), run={**RUN, "fence": 7})
