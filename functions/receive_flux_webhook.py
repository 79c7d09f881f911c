"""POST /webhooks/flux: the cluster has applied a commit; verify, hand over, acknowledge."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.http_api import answered, raw_body, require_json
from tailkeeper.adapters.inbox import Inbox
from tailkeeper.adapters.signing import check, signing_secrets
from tailkeeper.model import Cause
from tailkeeper.moments import rfc3339
from tailkeeper.webhooks.flux import SIGNATURE_HEADER, parse
from tailkeeper.webhooks.signatures import hub


if TYPE_CHECKING:
    from tailkeeper.adapters.fresh import Fresh

MAX_MIB = 1
IGNORED = {"accepted": 0, "ignored": 1}
logger = Logger(service="receive-flux-webhook")


@cache
def inbox() -> Inbox:
    """Return the process's inbox."""
    return Inbox()


@cache
def secrets() -> Fresh[tuple[str, ...]]:
    """Return the process's signing secrets."""
    return signing_secrets("flux")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0): 202, 401, 413, 415, or 503 to be repeated."""
    return answered(receive, event, logger)


def receive(event: dict[str, Any]) -> dict[str, int]:
    """Take in a signed event; return the counts to acknowledge."""
    body = raw_body(event, most=MAX_MIB)
    require_json(event)
    check(hub((event.get("headers") or {}).get(SIGNATURE_HEADER), body), secrets())
    try:
        applied = parse(body)
    except ValueError as error:
        logger.warning("poison", reason=str(error))
        inbox().keep_poison("flux", [body.decode(errors="replace")])
        return IGNORED
    if isinstance(applied, str):
        logger.info("ignored", reason=applied)
        return IGNORED
    at = applied.at or rfc3339(time.time())
    cause = Cause("flux", applied.id, at, applied.by, applied.ref)
    accepted = inbox().take_in("flux", {applied.id: cause})
    logger.info("acknowledged", extra={"accepted": accepted, "applied": applied.ref})
    return {"accepted": accepted, "ignored": 1 - accepted}
