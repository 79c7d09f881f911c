"""Bitbucket's payloads, Cloud and Data Center: several refs in one push, never a file list.

support.atlassian.com/bitbucket-cloud/docs/event-payloads,
confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.webhooks.git.events import PullRequest, Push, whole
from tailkeeper.webhooks.untrusted import at, commit, moment, name, text, word


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOTHING = "0" * 40
CLOUD_REQUESTS = ("pullrequest:created", "pullrequest:updated")
DATA_CENTER_REQUESTS = ("pr:opened", "pr:reopened", "pr:from_ref_updated")


def parse(provider: str, event: str, document: Mapping[str, Any]) -> list[Push | PullRequest]:
    """Return the pushes or the pull request; raise ValueError when one is not whole."""
    if event == "repo:push":
        return list(cloud_pushes(provider, document))
    if event == "repo:refs_changed":
        return list(data_center_pushes(provider, document))
    if event in CLOUD_REQUESTS:
        return [cloud_request(provider, document)]
    return [data_center_request(provider, document)] if event in DATA_CENTER_REQUESTS else []


def changes(found: Any) -> Iterator[dict[str, Any]]:
    """Yield the changed refs of a push; raise ValueError if they are no list of objects."""
    if not isinstance(found, list) or not all(isinstance(change, dict) for change in found):
        raise ValueError("changes is not a list of objects")
    yield from found


def cloud_pushes(provider: str, document: Mapping[str, Any]) -> Iterator[Push]:
    """Read `push.changes`, each with its `old` and `new` ref, null for none."""
    for change in changes(at(document, "push", "changes")):
        old, new = change.get("old"), change.get("new")
        short, kind = text(new or old, "name"), text(new or old, "type")
        yield Push(
            provider,
            word(document, "repository", "full_name"),
            short if kind == "branch" else "",
            commit(old, "target", "hash") if old else NOTHING,
            commit(new, "target", "hash") if new else NOTHING,
            name(document, ("actor", "nickname"), ("actor", "display_name")),
            tag=short if kind == "tag" else "",
            created=not old,
            deleted=not new,
            forced=change.get("forced") is True,
        )


def data_center_pushes(provider: str, document: Mapping[str, Any]) -> Iterator[Push]:
    """Read `changes`, each with its type: ADD, UPDATE or DELETE."""
    for change in changes(document.get("changes")):
        short, kind = text(change, "ref", "displayId"), text(change, "ref", "type")
        yield Push(
            provider,
            full_name(document, "repository"),
            short if kind == "BRANCH" else "",
            commit(change, "fromHash"),
            commit(change, "toHash"),
            name(document, ("actor", "name")),
            at=moment(document, "date"),
            tag=short if kind == "TAG" else "",
            created=change.get("type") == "ADD",
            deleted=change.get("type") == "DELETE",
        )


def cloud_request(provider: str, document: Mapping[str, Any]) -> PullRequest:
    """Read a pull request of Bitbucket Cloud, which shows twelve digits of the head."""
    return PullRequest(
        provider,
        word(document, "repository", "full_name"),
        text(document, "pullrequest", "destination", "branch", "name"),
        whole(at(document, "pullrequest", "id")),
        commit(document, "pullrequest", "source", "commit", "hash"),
        name(document, ("actor", "nickname"), ("actor", "display_name")),
        at=moment(document, "pullrequest", "updated_on"),
    )


def data_center_request(provider: str, document: Mapping[str, Any]) -> PullRequest:
    """Read a pull request of Bitbucket Data Center."""
    return PullRequest(
        provider,
        full_name(document, "pullRequest", "toRef", "repository"),
        text(document, "pullRequest", "toRef", "displayId"),
        whole(at(document, "pullRequest", "id")),
        commit(document, "pullRequest", "fromRef", "latestCommit"),
        name(document, ("actor", "name")),
        at=moment(document, "date"),
    )


def full_name(document: Mapping[str, Any], *path: str) -> str:
    """Return Data Center's `<project key>/<slug>`."""
    return f"{word(document, *path, 'project', 'key')}/{word(document, *path, 'slug')}"
