"""What of a git host's events starts a run: table of repositories, branches and paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import Config
from tailkeeper.webhooks.git.events import PullRequest, Push
from tailkeeper.webhooks.git.relevance import UNKNOWN, Watched, judge
from tests.support.deliveries import HEAD, HOMELAB, NEW, OLD


MAIN = Watched("github", "me/homelab", "main", ("apps/**", "!apps/docs/"))
STAGING = Watched("github", "me/homelab", "staging")
OTHER_PATHS = Watched("github", "me/homelab", "main", ("dns/",))
WATCHED = (MAIN, STAGING, OTHER_PATHS)
PUSH = Push("github", "me/homelab", "main", OLD, NEW, "me")
REQUEST = PullRequest("github", "me/homelab", "main", 7, HEAD, "me")


@pytest.mark.parametrize(
    ("event", "found", "why"),
    [
        (PUSH, MAIN, ""),
        (PUSH._replace(files=("apps/x", "README.md")), MAIN, ""),
        (PUSH._replace(files=("README.md",)), None, "no file that is watched"),
        (PUSH._replace(files=("apps/docs/x",)), None, "no file that is watched"),
        (PUSH._replace(files=("dns/x",)), OTHER_PATHS, ""),
        (PUSH._replace(files=()), None, "no file that is watched"),
        (PUSH._replace(branch="staging", files=("README.md",)), STAGING, ""),
        (PUSH._replace(branch="feature"), None, "not a branch that is watched"),
        (PUSH._replace(branch="Main"), None, "not a branch that is watched"),
        (PUSH._replace(branch="", tag="main"), None, "not a branch that is watched"),
        (PUSH._replace(deleted=True), None, "the ref was deleted"),
        (PUSH._replace(forced=True), MAIN, ""),
        (PUSH._replace(repository="Me/HomeLab"), MAIN, ""),
        (PUSH._replace(repository="you/homelab"), None, UNKNOWN),
        (PUSH._replace(provider="gitlab"), None, UNKNOWN),
        (REQUEST, MAIN, ""),
        (REQUEST._replace(branch="feature"), None, "not a branch that is watched"),
        (REQUEST._replace(repository="you/homelab"), None, UNKNOWN),
    ],
)
def test_what_concerns_a_watched_branch(event: Any, found: Watched | None, why: str) -> None:
    """And why what does not, does not."""
    assert judge(event, WATCHED) == (found, why)


@pytest.mark.parametrize("configured", ["gitea", "forgejo"])
@pytest.mark.parametrize("sender", ["gitea", "forgejo"])
def test_gitea_and_forgejo_are_one_protocol(configured: str, sender: str) -> None:
    """A server may be called either; the cause uses the configuration's word."""
    watched = MAIN._replace(provider=configured)
    assert judge(PUSH._replace(provider=sender), (watched,)) == (watched, "")


def test_the_stored_configuration_is_what_is_read() -> None:
    """A Repository of the configuration, as it is stored, is a Watched."""
    config = Config.from_json({"repositories": [HOMELAB, {**HOMELAB, "branch": "staging"}]})
    stored = config.as_json()["repositories"]

    assert [Watched.from_json(each) for each in stored] == [
        Watched("github", "me/homelab", "main", ("apps/**", "infrastructure/**")),
        Watched("github", "me/homelab", "staging", ("apps/**", "infrastructure/**")),
    ]
    written = {"provider": "github", "name": "me/homelab"}
    assert Watched.from_json(written) == Watched("github", "me/homelab", "main")


@given(st.lists(st.text(max_size=20), max_size=5), st.lists(st.text(max_size=20), max_size=5))
def test_a_list_that_is_not_complete_never_holds_back(files: list[str], more: list[str]) -> None:
    """More files never make a push matter less, and an unknown list matters as much as any."""
    some, all_ = tuple(files), (*files, *more)
    for each in (some, all_):
        if judge(PUSH._replace(files=each), WATCHED)[0]:
            assert judge(PUSH, WATCHED)[0]
    if judge(PUSH._replace(files=some), WATCHED)[0]:
        assert judge(PUSH._replace(files=all_), WATCHED)[0]
