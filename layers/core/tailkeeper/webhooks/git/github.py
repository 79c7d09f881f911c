"""GitHub's payloads (docs.github.com/webhooks/webhook-events-and-payloads)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.webhooks.git.events import PullRequest, Push, read_push, shown, whole
from tailkeeper.webhooks.untrusted import at, commit, moment, name, text, word


if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIONS = ("opened", "reopened", "synchronize", "synchronized")  # the last is Gitea's
MOST_COMMITS = 2048
MOST_FILES = 3000  # of one commit


def parse(provider: str, event: str, document: Mapping[str, Any]) -> list[Push | PullRequest]:
    """Return the push or the pull request; raise ValueError when it is not whole."""
    if event == "push":
        return [push(provider, document)]
    if event == "pull_request" and document.get("action") in ACTIONS:
        return [pull_request(provider, document)]
    return []


def push(provider: str, document: Mapping[str, Any]) -> Push:
    """Read a push; the list of files is complete unless a limit was reached."""
    return read_push(
        provider,
        document,
        repository=word(document, "repository", "full_name"),
        pusher=name(document, ("pusher", "name"), ("sender", "login")),
        moved_at=moment(document, "repository", "pushed_at"),
        whole_list=shown(document) < MOST_COMMITS,
        most_files=MOST_FILES,
    )


def pull_request(provider: str, document: Mapping[str, Any]) -> PullRequest:
    """Read a pull request; Gitea's has the same fields."""
    return PullRequest(
        provider,
        word(document, "repository", "full_name"),
        text(document, "pull_request", "base", "ref"),
        whole(at(document, "number")),
        commit(document, "pull_request", "head", "sha"),
        name(document, ("sender", "login"), ("pull_request", "user", "login")),
        at=moment(document, "pull_request", "updated_at"),
    )
