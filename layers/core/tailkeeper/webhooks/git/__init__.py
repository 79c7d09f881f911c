"""Webhooks of git hosts: who sent one, whether it is signed, and what it says, whoever sent it.

Pure, and imported by the receiver, which must stay light. Headers are lower-cased, as an HTTP API
hands them over. Each host has a module for its payloads; `events` holds what all of them become,
`relevance` what of it starts a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from tailkeeper.webhooks.git import bitbucket, gitea, github, gitlab
from tailkeeper.webhooks.signatures import MissingSignatureError, bare, hub, standard, token
from tailkeeper.webhooks.untrusted import LONGEST_NAME, canonical_id, read_json


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.webhooks.git.events import PullRequest, Push
    from tailkeeper.webhooks.signatures import Verifier

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

# Gitea and Forgejo send GitHub's headers beside their own, Forgejo those of Gitea too.
SENDERS = (
    ("forgejo", "x-forgejo-event", ("x-forgejo-delivery", "x-gitea-delivery")),
    ("gitea", "x-gitea-event", ("x-gitea-delivery",)),
    ("github", "x-github-event", ("x-github-delivery",)),
    ("gitlab", "x-gitlab-event", ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")),
    ("bitbucket", "x-event-key", ("x-request-uuid", "x-request-id")),
)
SECRETS = {
    "forgejo": ("forgejo", "gitea", "git"),
    "gitea": ("gitea", "forgejo", "git"),
    "github": ("github", "git"),
    "gitlab": ("gitlab", "git"),
    "bitbucket": ("bitbucket", "git"),
}
"""Under which keys of the webhook secrets a sender's are found; "git" is for all git hosts."""

FORMS = frozenset({"forgejo", "gitea", "github"})
PAYLOADS = {
    "forgejo": gitea.parse,
    "gitea": gitea.parse,
    "github": github.parse,
    "gitlab": gitlab.parse,
    "bitbucket": bitbucket.parse,
}


class Delivery(NamedTuple):
    """Who sent it, what of, under which id ("" without one): what the headers say, unproven."""

    provider: str
    event: str
    id: str


def delivery_of(headers: Mapping[str, str]) -> Delivery:
    """Return what the headers say; raise MissingSignatureError when they are no git host's."""
    for provider, event, ids in SENDERS:
        if event in headers:
            found = next((headers[name] for name in ids if headers.get(name)), "")
            return Delivery(provider, headers[event], found[:LONGEST_NAME])
    raise MissingSignatureError


def takes(provider: str, content_type: str) -> bool:
    """Return whether the sender's deliveries come in this content type."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == JSON or (kind == FORM and provider in FORMS)


def payload_of(content_type: str, body: bytes) -> bytes:
    """Return the JSON of a body: the field `payload` of a form, "" when there is none."""
    if not content_type.lower().startswith(FORM):
        return body
    fields = (field.partition(b"=") for field in body.split(b"&"))
    found = next((value for name, _, value in fields if name == b"payload"), b"")
    return unquote_to_bytes(found.replace(b"+", b" "))


def verifier(
    provider: str, headers: Mapping[str, str], body: bytes, payload: bytes, *, now: float
) -> Verifier:
    """Return who can tell whether the delivery is signed; raise SignatureError if it cannot be.

    `body` is what was sent, `payload` the JSON in it: of a form, GitHub signs the first and Gitea
    the second. Where GitLab sends a signature it decides, whatever token comes with it.
    """
    match provider:
        case "github":
            return hub(headers.get("x-hub-signature-256"), body)
        case "bitbucket":
            return hub(headers.get("x-hub-signature"), body)
        case "gitlab" if "webhook-signature" not in headers:
            return token(headers.get("x-gitlab-token"))
        case "gitlab":
            sent = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
            return standard(body, *sent, now=now)
    return bare(headers.get(f"x-{provider}-signature"), payload)


def identity(delivery: Delivery, event: Push | PullRequest) -> str:
    """Identify what is said, so that a repeat is told from a push of the same commit.

    GitLab tells no time of a push, but it signs the delivery's id, and who knows its token can say
    anything. Bitbucket Cloud does neither: there, what is pushed back and again is a repeat.
    """
    if delivery.provider == "gitlab" and not event.at:
        return canonical_id([event.content_id, delivery.id])
    return event.content_id


def parse(delivery: Delivery, payload: bytes) -> list[Push | PullRequest]:
    """Return what happened: nothing for events of other kinds; raise ValueError for poison."""
    document = read_json(payload)
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- one poison, one exception
    return PAYLOADS[delivery.provider](delivery.provider, delivery.event, document)
