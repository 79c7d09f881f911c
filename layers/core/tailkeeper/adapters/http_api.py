"""Requests of API Gateway's HTTP API (payload 2.0) to a receiver of webhooks, and its answers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.inbox import HandOverFailed
from tailkeeper.webhooks.signatures import SignatureError


if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools import Logger

MIB = 1024 * 1024


class Unacceptable(Exception):
    """The request is answered with this status and nothing else happens."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def answered(
    receive: Callable[[dict[str, Any]], dict[str, Any]], event: dict[str, Any], logger: Logger
) -> dict[str, Any]:
    """Return the answer: 202 with what `receive` returns, 400 to 415, or 503 to be repeated."""
    try:
        answer = receive(event)
    except SignatureError as error:
        return _refused(401, error.reason, logger)
    except Unacceptable as refusal:
        return _refused(refusal.status, str(refusal), logger)
    except (HandOverFailed, AwsError) as failure:
        logger.exception("not handed over", reason=str(failure))
        return _respond(503, {"message": "not accepted; please repeat"})
    return _respond(202, answer)


def raw_body(event: dict[str, Any], *, most: int) -> bytes:
    """Return the body as it was sent; raise Unacceptable when it is over so many MiB."""
    body: str = event.get("body") or ""
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise Unacceptable(400, "the body cannot be decoded") from error
    if len(raw) > most * MIB:
        raise Unacceptable(413, f"the body is over {most} MiB")
    return raw


def content_type(event: dict[str, Any]) -> str:
    """Return the content type, "" for none."""
    return str((event.get("headers") or {}).get("content-type", ""))


def require_json(event: dict[str, Any]) -> None:
    """Raise Unacceptable unless the body says that it is JSON."""
    if not content_type(event).startswith("application/json"):
        raise Unacceptable(415, "send application/json")


def _refused(status: int, reason: str, logger: Logger) -> dict[str, Any]:
    logger.warning("refused", status=status, reason=reason)
    return _respond(status, {"message": reason})


def _respond(status: int, document: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}
