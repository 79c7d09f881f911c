"""Gitea's and Forgejo's payloads: GitHub's, but for the push (docs.gitea.com/usage/webhooks).

They do not tell a forced push, and show the last five commits unless the server was configured
otherwise; `total_commits` is how many there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.webhooks.git import github
from tailkeeper.webhooks.git.events import read_push, shown
from tailkeeper.webhooks.untrusted import moment, name, word


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.webhooks.git.events import PullRequest, Push


def parse(provider: str, event: str, document: Mapping[str, Any]) -> list[Push | PullRequest]:
    """Return the push or the pull request; raise ValueError when it is not whole."""
    if event == "push":
        return [push(provider, document)]
    return github.parse(provider, event, document)


def push(provider: str, document: Mapping[str, Any]) -> Push:
    """Read a push; its list is complete when it shows as many commits as there were."""
    return read_push(
        provider,
        document,
        repository=word(document, "repository", "full_name"),
        pusher=name(document, ("pusher", "login"), ("pusher", "username"), ("sender", "login")),
        moved_at=moment(document, "repository", "updated_at"),
        whole_list=shown(document) == document.get("total_commits"),
    )
