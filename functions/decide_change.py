"""GET and POST /changes/{id}: the page behind a link, and the decision that its buttons post."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aws_lambda_powertools import Logger

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.inbox import HandOverFailed, Inbox
from tailkeeper.adapters.stack import stack
from tailkeeper.decisions.decision import KEPT, TO_ASK
from tailkeeper.decisions.links import ClosedError, Link, LinkError, UnfitError
from tailkeeper.decisions.page import HEADERS, plan_page, word_page
from tailkeeper.decisions.telling import counted
from tailkeeper.moments import rfc3339


if TYPE_CHECKING:
    from tailkeeper.decisions.decision import Decision

LONGEST = 4096  # characters of a form
logger = Logger(service="decide-change")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0) with a page: 200, 400, 403, 410, or 503.

    Only a POST with the link's token decides, and once.
    """
    try:
        page = posted(event) if method_of(event) == "POST" else shown(event)
    except LinkError as refusal:
        logger.warning("refused", status=refusal.status, reason=str(refusal))
        return answer(refusal.status, word_page("Nothing was decided", str(refusal)))
    except (HandOverFailed, AwsError) as failure:
        logger.exception("not decided", reason=str(failure))
        return answer(503, word_page("Not decided yet", "Please try again in a minute."))
    return answer(200, page)


def shown(event: dict[str, Any]) -> str:
    """Return the page that shows the plan and asks."""
    token = (event.get("queryStringParameters") or {}).get("token", "")
    link, held = opened(event, token)
    return plan_page(link.change_id, held, token)


def posted(event: dict[str, Any]) -> str:
    """Carry out the decision of a form; return the page that says so."""
    form = form_of(event)
    word = form.get("decision", "")
    if word not in {"approve", "reject"}:
        raise UnfitError("a decision is approve or reject")
    link, held = opened(event, form.get("token", ""))
    stack().questions.claim(link, word)
    by = f"a link, from {event['requestContext']['http'].get('sourceIp', 'somewhere')}"
    said = approve(link, held, by) if word == "approve" else reject(link, held, by)
    stack().questions.done(link)
    logger.info("decided", extra={"change": link.change_id, "word": word, "changes": len(held)})
    return said


def opened(event: dict[str, Any], token: str) -> tuple[Link, list[Decision]]:
    """Return what a token opens and what of it still waits for a person; raise LinkError."""
    change_id = (event.get("pathParameters") or {}).get("id", "")
    link = Link.read(change_id, token, lambda: stack().secret("LINK_SECRET")["key"], time.time())
    digests, known = stack().questions.digests(link), stack().decisions.known()
    held = [known[d] for d in digests if d in known and known[d].word in TO_ASK]
    if not any(one.decidable for one in held):
        raise ClosedError("nothing of this is held any more, or nothing that can be approved")
    return link, held


def approve(link: Link, held: list[Decision], by: str) -> str:
    """Hand an approval over to the bus, which starts a Converge."""
    digests = [one.digest for one in held if one.decidable]
    cause = stack().decisions.approval(link.change_id, digests, by)
    Inbox(stack().aws).hand_over("decisions", {cause.id: cause}, dry_run=False)
    return word_page("Approved", f"{counted(len(digests))} will be carried out now.")


def reject(link: Link, held: list[Decision], by: str) -> str:
    """Let the changes stand back until somebody approves them."""
    at, expires = rfc3339(time.time()), int(time.time()) + KEPT
    stack().decisions.keep(one.decided("rejected", by, at, expires) for one in held)
    lifts = f"`tailkeeper approve {link.change_id}` lifts it"
    return word_page("Rejected", f"{counted(len(held))} will stay undone; {lifts}.")


def form_of(event: dict[str, Any]) -> dict[str, str]:
    """Return a posted form's fields; raise LinkError."""
    body: str = event.get("body") or ""
    if len(body) > LONGEST:
        raise UnfitError("the form is too long")
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnfitError("the form cannot be decoded") from error
    return {name: values[-1] for name, values in parse_qs(text).items()}


def method_of(event: dict[str, Any]) -> str:
    """Return the request's method."""
    return str(event["requestContext"]["http"]["method"])


def answer(status: int, page: str) -> dict[str, Any]:
    """Return an HTTP API answer that nobody keeps."""
    return {"statusCode": status, "headers": HEADERS, "body": page}
