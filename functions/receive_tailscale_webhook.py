"""POST /webhooks/tailscale: verify, deduplicate, hand over to the bus, acknowledge."""

from __future__ import annotations

import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.http_api import answered, raw_body, require_json
from tailkeeper.adapters.inbox import Inbox
from tailkeeper.adapters.signing import check, signing_secrets
from tailkeeper.model import Cause
from tailkeeper.webhooks.tailscale import (
    SIGNATURE_HEADER,
    Event,
    parse_events,
    parse_header,
    verify,
)


if TYPE_CHECKING:
    from tailkeeper.adapters.fresh import Fresh

MAX_MIB = 1
logger = Logger(service="receive-tailscale-webhook")


@cache
def inbox() -> Inbox:
    """Return the process's inbox."""
    return Inbox()


@cache
def secrets() -> Fresh[tuple[str, ...]]:
    """Return the process's signing secrets."""
    return signing_secrets("tailscale")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0): 202, 401, 413, 415, or 503 to be repeated."""
    return answered(receive, event, logger)


def receive(event: dict[str, Any]) -> dict[str, int]:
    """Take in the events of a signed body; return the counts to acknowledge."""
    body = raw_body(event, most=MAX_MIB)
    require_json(event)
    header = (event.get("headers") or {}).get(SIGNATURE_HEADER, "")
    parse_header(header)  # what is not signed at all costs no secret
    past = float(os.environ["WEBHOOK_TOLERANCE_SECONDS"])
    check(partial(verify, header, body, now=time.time(), past=past), secrets())
    return accept(*parse_events(body))


def accept(events: list[Event], poison: list[str]) -> dict[str, int]:
    """Hand over the events that matter and were not seen; keep the poison."""
    prober, tag = os.environ["PROBER_HOSTNAME"], os.environ["PROBER_TAG"]
    found = {
        event.id: cause_of(event)
        for event in events
        if event.relevant and not event.concerns(hostname_prefix=prober, tag=tag)
    }
    accepted = inbox().take_in("tailscale", found)
    if poison:
        inbox().keep_poison("tailscale", poison)
    answer = {"accepted": accepted, "ignored": len(events) + len(poison) - accepted}
    logger.info("acknowledged", extra={**answer, "poison": len(poison)})
    return answer


def cause_of(event: Event) -> Cause:
    """Return the event as a cause: `ref` is `<type> <node id> <device name>`."""
    ref = " ".join((event.type, event.node_id or "-", event.device or "-"))
    return Cause("tailscale", event.id, event.at, event.managed_by or "tailscale", ref)
