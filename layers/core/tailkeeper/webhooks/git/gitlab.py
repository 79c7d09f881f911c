"""GitLab's payloads (docs.gitlab.com/user/project/integrations/webhook_events).

It does not tell a forced push, nor when a push happened, and shows the last twenty commits;
`total_commits_count` is how many there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.webhooks.git.events import PullRequest, Push, read_push, shown, whole
from tailkeeper.webhooks.untrusted import at, commit, moment, name, text, word


if TYPE_CHECKING:
    from collections.abc import Mapping

PUSHES = ("push", "tag_push")
PROJECT = ("project", "path_with_namespace")
REQUEST = "object_attributes"


def parse(provider: str, _: str, document: Mapping[str, Any]) -> list[Push | PullRequest]:
    """Return the push or the merge request; raise ValueError when it is not whole."""
    kind = document.get("object_kind")
    if kind in PUSHES:
        return [push(provider, document)]
    if kind == "merge_request" and has_new_head(document):
        return [merge_request(provider, document)]
    return []


def has_new_head(document: Mapping[str, Any]) -> bool:
    """Return whether there is a commit to plan for: an update with `oldrev` has one."""
    action = at(document, REQUEST, "action")
    updated = action == "update" and bool(at(document, REQUEST, "oldrev"))
    return updated or action in ("open", "reopen")


def push(provider: str, document: Mapping[str, Any]) -> Push:
    """Read a push; its list is complete when it shows as many commits as there were."""
    return read_push(
        provider,
        document,
        repository=word(document, *PROJECT),
        pusher=name(document, ("user_username",), ("user_name",)),
        whole_list=shown(document) == document.get("total_commits_count"),
    )


def merge_request(provider: str, document: Mapping[str, Any]) -> PullRequest:
    """Read a merge request of the project that it goes into."""
    return PullRequest(
        provider,
        word(document, *PROJECT),
        text(document, REQUEST, "target_branch"),
        whole(at(document, REQUEST, "iid")),
        commit(document, REQUEST, "last_commit", "id"),
        name(document, ("user", "username"), ("user", "name")),
        at=moment(document, REQUEST, "updated_at"),
    )
