"""POST /webhooks/git: verify, leave out what cannot matter, hand over to the bus, acknowledge."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.http_api import Unacceptable, answered, content_type, raw_body
from tailkeeper.adapters.inbox import Inbox
from tailkeeper.adapters.repositories import repositories
from tailkeeper.adapters.signing import check, signing_secrets
from tailkeeper.model import Cause
from tailkeeper.moments import rfc3339
from tailkeeper.webhooks.git import (
    SECRETS,
    delivery_of,
    identity,
    parse,
    payload_of,
    takes,
    verifier,
)
from tailkeeper.webhooks.git.events import PullRequest, Push
from tailkeeper.webhooks.git.relevance import UNKNOWN, judge


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.adapters.fresh import Fresh
    from tailkeeper.webhooks.git import Delivery
    from tailkeeper.webhooks.git.relevance import Watched

MAX_MIB = 4  # base64 of it just fits into an invocation
SHOWN = 20  # events of one delivery in the log
logger = Logger(service="receive-git-webhook")


@cache
def inbox() -> Inbox:
    """Return the process's inbox."""
    return Inbox()


@cache
def secrets(provider: str) -> Fresh[tuple[str, ...]]:
    """Return the process's signing secrets for a git host."""
    return signing_secrets(*SECRETS[provider])


@cache
def watched() -> Fresh[tuple[Watched, ...]]:
    """Return the process's repositories."""
    return repositories()


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0): 202, 401, 413, 415, or 503 to be repeated."""
    return answered(receive, event, logger)


def receive(event: dict[str, Any]) -> dict[str, int]:
    """Take in what a signed delivery tells; return the counts to acknowledge."""
    body, headers = raw_body(event, most=MAX_MIB), event.get("headers") or {}
    delivery, kind = delivery_of(headers), content_type(event)
    if not takes(delivery.provider, kind):
        raise Unacceptable(415, "send application/json")
    payload = payload_of(kind, body)
    verify = verifier(delivery.provider, headers, body, payload, now=time.time())
    check(verify, secrets(delivery.provider))
    try:
        events = parse(delivery, payload)
    except ValueError as error:
        logger.warning("poison", delivery=delivery.id, reason=str(error))
        inbox().keep_poison(delivery.provider, [body.decode(errors="replace")])
        return {"accepted": 0, "ignored": 1}
    return accept(delivery, events)


def accept(delivery: Delivery, events: Sequence[Push | PullRequest]) -> dict[str, int]:
    """Hand over what concerns a watched branch and was not seen; log what became of the rest."""
    judged = [(event, *concerning(event)) for event in events]
    found = {identity(delivery, e): cause_of(e, branch) for e, branch, _ in judged if branch}
    dry_run = any(isinstance(event, PullRequest) for event in events)
    accepted = inbox().take_in("git", found, dry_run=dry_run)
    answer = {"accepted": accepted, "ignored": max(len(events), 1) - accepted}
    told = [f"{event.repository} {event.what}: {why or 'watched'}" for event, _, why in judged]
    logger.info("acknowledged", extra={**answer, "delivery": delivery.id, "told": told[:SHOWN]})
    return answer


def concerning(event: Push | PullRequest) -> tuple[Watched | None, str]:
    """Return the watched branch that the event concerns, or None and why there is none."""
    found, why = judge(event, watched().get())
    if why == UNKNOWN and watched().read_again():
        return judge(event, watched().get())
    return found, why


def cause_of(event: Push | PullRequest, watched: Watched) -> Cause:
    """Return the event as a cause: `ref` is `<provider> <owner/name>` and what moved.

    That is `<branch> <sha> <sha before>` or `pull/<number> <sha>`. It is as old as its host says:
    pushes that come in another order are still told apart by their time. Its id is of what is said:
    causes wait by time and id, and a delivery's id, which no host signs, may come twice.
    """
    now = rfc3339(time.time())
    at = min(event.at or now, now)
    before = f" {event.before}" if isinstance(event, Push) and event.before.strip("0") else ""
    ref = f"{watched.provider} {watched.name} {event.what}{before}"
    by = event.pusher or watched.provider
    return Cause("git", f"{watched.provider}:{event.content_id}", at, by, ref)
