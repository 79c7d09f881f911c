"""Post Plan: a pull request's last commit is told what would come of it, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from functions import post_plan
from sandbox.git import GitHost
from sandbox.threads import running
from tests.support.handlers import set_secret
from tests.support.repositories import Clone, clone_url


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack

NAME = "me/homelab"
COUNTS = dict.fromkeys(("create", "update", "delete", "skipped", "waiting", "held", "refused"), 0)
CHANGE = {
    "action": "Create",
    "key": "a.example.com",
    "surface": "records",
    "place": "example.com",
    "before": None,
    "after": {"records": [{"type": "CNAME", "content": "gw.tail.ts.net"}]},
    "verdict": {"word": "apply", "reasons": ["created by httproute"]},
}


@pytest.fixture
def hosted(
    aws: Stack, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[GitHost, str]]:
    """Serve a repository with one commit."""
    folder = tmp_path_factory.mktemp("git")
    host = GitHost(folder / "bare", token="token")
    host.add("github", NAME)
    with running(host):
        monkeypatch.setenv("GIT_URL", host.base_url)
        set_secret("GIT_SECRET", {"github": "token"})
        set_secret("LINK_SECRET", {"key": "k" * 64})
        clone = Clone.new(folder / "clone", {"origin": clone_url(host, NAME)})
        yield host, clone.commit({"a": "a"})


def post(sha: str, word: str, branch: str = "pull/7", **planned: Any) -> dict[str, Any]:
    """Run the state."""
    push = {"provider": "github", "repository": NAME, "branch": branch, "sha": sha, "at": ""}
    made = {"counts": COUNTS, "troubles": [], "reports": [], "plan": {"inline": []}, **planned}
    config = {"repositories": [{"provider": "github", "name": NAME}]}
    event = {"word": word, "config": config, "pushes": [push], "planned": made}
    return post_plan.handler(event, None)


def statuses(hosted: tuple[GitHost, str]) -> list[tuple[str, str]]:
    """Return the states and descriptions of the commit's statuses."""
    host, sha = hosted
    found = host.dump()["statuses"].get(f"{NAME} {sha}", [])
    return [(status["state"], status["description"]) for status in found]


def test_from_pending_to_the_plan(aws: Stack, hosted: tuple[GitHost, str]) -> None:
    """Said in a few words, with a link to the whole; saying it twice is saying it once."""
    _, sha = hosted
    counts = {**COUNTS, "create": 1, "held": 1}

    post(sha, "pending")
    links = {
        post(sha, "planned", counts=counts, plan={"inline": [CHANGE]})["link"] for _ in range(2)
    }

    assert statuses(hosted) == [("pending", "planning"), *[("failure", "1 change, 1 held")] * 2]
    (link,) = links
    place, _, name = link.rpartition("/")
    assert place == os.environ["PLANS"]
    page = httpx.get(aws.artifacts.shown(name, 60))
    assert "text/html" in page.headers["content-type"]
    assert "Create a.example.com" in page.text


def test_a_plan_that_could_not_be_made(hosted: tuple[GitHost, str]) -> None:
    """The status does not stay pending."""
    assert post(hosted[1], "failed") == {"link": "", "why": ""}
    assert statuses(hosted) == [("failure", "the plan could not be made")]


def test_a_push_to_a_branch_is_told_nothing(hosted: tuple[GitHost, str]) -> None:
    """Statuses are for who may still think again."""
    post(hosted[1], "planned", branch="main")

    assert statuses(hosted) == []


def test_a_host_that_refuses_is_reported(hosted: tuple[GitHost, str]) -> None:
    """The plan is as good without it."""
    set_secret("GIT_SECRET", {"github": "wrong"})

    assert "401" in post(hosted[1], "pending")["why"]
