"""POST /webhooks/tailscale: verify, deduplicate, hand over to the bus, acknowledge."""

from __future__ import annotations

import base64
import binascii
import json
import os
import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.inbox import HandOverFailed, Inbox
from tailkeeper.adapters.signing import SigningSecrets
from tailkeeper.model import Cause
from tailkeeper.tailscale_webhook import (
    SIGNATURE_HEADER,
    Event,
    SignatureError,
    WrongSignatureError,
    parse_events,
    parse_header,
    verify,
)


MAX_BODY = 1024 * 1024
logger = Logger(service="receive-tailscale-webhook")


class Unacceptable(Exception):
    """The request is answered with this status and nothing else happens."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@cache
def inbox() -> Inbox:
    """Return the process's inbox."""
    return Inbox()


@cache
def secrets() -> SigningSecrets:
    """Return the process's signing secrets."""
    return SigningSecrets("tailscale")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer an HTTP API request (payload 2.0): 202, 401, 413, 415, or 503 to be repeated."""
    try:
        events, poison = parse_events(signed_body(event))
        answer = accept(events, poison)
    except Unacceptable as refusal:
        logger.warning("refused", status=refusal.status, reason=str(refusal))
        return respond(refusal.status, {"message": str(refusal)})
    except (HandOverFailed, AwsError) as failure:
        logger.exception("not handed over", reason=str(failure))
        return respond(503, {"message": "not accepted; please repeat"})
    logger.info("acknowledged", extra={**answer, "poison": len(poison)})
    return respond(202, answer)


def signed_body(event: dict[str, Any]) -> bytes:
    """Return the raw body once its signature holds; raise Unacceptable."""
    body = raw_body(event)
    headers = event.get("headers") or {}
    if not headers.get("content-type", "").startswith("application/json"):
        raise Unacceptable(415, "send application/json")
    header = headers.get(SIGNATURE_HEADER, "")
    try:
        parse_header(header)  # what is not signed at all costs no secret
        check(header, body)
    except SignatureError as error:
        raise Unacceptable(401, error.reason) from error
    return body


def raw_body(event: dict[str, Any]) -> bytes:
    """Return the body as it was sent; raise Unacceptable when it is over 1 MiB."""
    body: str = event.get("body") or ""
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Unacceptable(400, "the body cannot be decoded") from error
    if len(raw) > MAX_BODY:
        raise Unacceptable(413, "the body is over 1 MiB")
    return raw


def check(header: str, body: bytes) -> None:
    """Verify against every valid secret, read anew if none fits; raise SignatureError."""
    past = float(os.environ["WEBHOOK_TOLERANCE_SECONDS"])
    try:
        verify(header, body, secrets().valid(), now=time.time(), past=past)
    except WrongSignatureError:
        if not secrets().read_again():
            raise
        verify(header, body, secrets().valid(), now=time.time(), past=past)


def accept(events: list[Event], poison: list[str]) -> dict[str, int]:
    """Hand over the events that matter and were not seen; return the counts to acknowledge."""
    prober, tag = os.environ["PROBER_HOSTNAME"], os.environ["PROBER_TAG"]
    causes = [
        cause_of(event)
        for event in events
        if event.relevant
        and not event.concerns(hostname_prefix=prober, tag=tag)
        and inbox().claim(event.id)
    ]
    if causes:
        inbox().hand_over("tailscale", causes)
    if poison:
        inbox().keep_poison("tailscale", poison)
    return {"accepted": len(causes), "ignored": len(events) + len(poison) - len(causes)}


def cause_of(event: Event) -> Cause:
    """Return the event as a cause: `ref` is `<type> <node id> <device name>`."""
    ref = " ".join((event.type, event.node_id or "-", event.device or "-"))
    return Cause("tailscale", event.id, event.at, event.managed_by or "tailscale", ref)


def respond(status: int, document: dict[str, Any]) -> dict[str, Any]:
    """Return an HTTP API answer."""
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}
