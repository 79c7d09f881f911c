"""Webhook bodies and headers as each host sends them; what of them nobody reads is left out."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.git.commands import NOTHING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.git.log import Commit
    from sandbox.git.state import Delivery, Repository

WHO, TAGS = "sandbox", "refs/tags/"
SHOWN = {"gitlab": 20, "gitea": 5, "forgejo": 5}  # commits of a push that these hosts tell


class Push(NamedTuple):
    """A ref that moved."""

    repository: Repository
    ref: str
    before: str
    after: str
    forced: bool
    at: str
    commits: Sequence[Commit]


class Proposal(NamedTuple):
    """A pull or merge request with a new head; `action` is GitHub's word."""

    repository: Repository
    number: int
    action: str
    head: str
    sha: str
    base: str
    at: str


def push_event(push: Push) -> str:
    """Return the name of the event at its host."""
    gitlab = "Tag Push Hook" if push.ref.startswith(TAGS) else "Push Hook"
    return {"gitlab": gitlab, "bitbucket": "repo:push"}.get(push.repository.provider, "push")


def push_body(push: Push) -> dict[str, Any]:
    """Return the body for a push."""
    provider = push.repository.provider
    if provider == "bitbucket":
        return _bitbucket_push(push)
    shown = list(push.commits)[-SHOWN[provider] :] if provider in SHOWN else list(push.commits)
    commits = [_commit(commit) for commit in shown]
    common = {"ref": push.ref, "before": push.before, "after": push.after, "commits": commits}
    if provider == "gitlab":
        kind = "tag_push" if push.ref.startswith(TAGS) else "push"
        return {
            **dict.fromkeys(("object_kind", "event_name"), kind),
            **common,
            "checkout_sha": None if push.after == NOTHING else push.after,
            "user_username": WHO,
            "project": {"path_with_namespace": push.repository.name},
            "total_commits_count": len(push.commits),
        }
    body: dict[str, Any] = {"repository": _repository(push.repository, push.at), **common}
    body |= {"head_commit": commits[-1] if commits else None, "sender": _who(), "pusher": _who()}
    if provider == "github":
        made, gone = push.before == NOTHING, push.after == NOTHING
        body["repository"]["pushed_at"] = push.at
        return body | {"created": made, "deleted": gone, "forced": push.forced, "base_ref": None}
    return body | {"total_commits": len(push.commits)}


def _bitbucket_push(push: Push) -> dict[str, Any]:
    kind = "tag" if push.ref.startswith(TAGS) else "branch"
    named = {"type": kind, "name": push.ref.removeprefix(TAGS).removeprefix("refs/heads/")}
    ends = {
        end: {**named, "target": {"hash": sha}} if sha != NOTHING else None
        for end, sha in (("old", push.before), ("new", push.after))
    }
    return {
        "push": {"changes": [{**ends, "forced": push.forced}]},
        "repository": {"full_name": push.repository.name},
        "actor": {"nickname": WHO},
    }


def proposal_event(proposal: Proposal) -> str:
    """Return the name of the event at its host."""
    new = "created" if proposal.action == "opened" else "updated"
    names = {"gitlab": "Merge Request Hook", "bitbucket": f"pullrequest:{new}"}
    return names.get(proposal.repository.provider, "pull_request")


def proposal_body(proposal: Proposal) -> dict[str, Any]:
    """Return the body for a pull or merge request."""
    name, provider = proposal.repository.name, proposal.repository.provider
    if provider == "gitlab":
        is_new = proposal.action == "opened"
        attributes = {
            "iid": proposal.number,
            "action": "open" if is_new else "update",
            "source_branch": proposal.head,
            "target_branch": proposal.base,
            "last_commit": {"id": proposal.sha},
            "updated_at": proposal.at,
        }
        return {
            "object_kind": "merge_request",
            "user": {"username": WHO},
            "project": {"path_with_namespace": name},
            "object_attributes": attributes | ({} if is_new else {"oldrev": NOTHING[:-1] + "1"}),
        }
    if provider == "bitbucket":
        source = {"branch": {"name": proposal.head}, "commit": {"hash": proposal.sha[:12]}}
        request = {"id": proposal.number, "source": source, "updated_on": proposal.at}
        request["destination"] = {"branch": {"name": proposal.base}}
        named = {"repository": {"full_name": name}, "actor": {"nickname": WHO}}
        return {"pullrequest": request, **named}
    action = proposal.action
    if provider != "github" and action == "synchronize":
        action = "synchronized"
    return {
        "action": action,
        "number": proposal.number,
        "pull_request": {
            "number": proposal.number,
            "head": {"ref": proposal.head, "sha": proposal.sha},
            "base": {"ref": proposal.base},
            "updated_at": proposal.at,
        },
        "repository": _repository(proposal.repository, proposal.at),
        "sender": _who(),
    }


def headers(provider: str, delivery: Delivery, secret: str, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery, signed as the host signs."""
    event, guid, hook = delivery.event, delivery.guid, delivery.hook
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    github = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    sent = {"Content-Type": "application/json"}
    if provider == "gitlab":
        return sent | {
            "X-Gitlab-Event": event,
            "X-Gitlab-Token": secret,
            "Idempotency-Key": guid,
        }
    if provider == "bitbucket":
        signed = {"X-Hub-Signature": f"sha256={signature}", "X-Request-UUID": guid}
        return sent | signed | {"X-Event-Key": event, "X-Hook-UUID": str(hook)}
    if provider == "github":
        agent = {"User-Agent": "GitHub-Hookshot/sandbox", "X-GitHub-Hook-ID": str(hook)}
        return sent | github | agent
    names = ("Gitea", "Forgejo") if provider == "forgejo" else ("Gitea",)
    for name in names:
        sent |= {f"X-{name}-Event": event, f"X-{name}-Delivery": guid}
        sent[f"X-{name}-Signature"] = signature
    return sent | github


def encoded(body: dict[str, Any]) -> bytes:
    """Return a body's bytes; a redelivery sends the same."""
    return json.dumps(body, separators=(",", ":")).encode()


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.sha,
        "message": commit.message,
        "timestamp": commit.at,
        "author": {"name": commit.author, "email": commit.email},
        "added": commit.added,
        "modified": commit.modified,
        "removed": commit.removed,
    }


def _repository(repository: Repository, at: str) -> dict[str, Any]:
    return {
        "id": repository.id,
        "full_name": repository.name,
        "default_branch": repository.branch,
        "updated_at": at,
    }


def _who() -> dict[str, str]:
    return {"name": WHO, "login": WHO, "username": WHO}
