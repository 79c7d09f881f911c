"""What can go wrong with Cloudflare, by the names that the state machines catch.

Unreachable    a read got no answer: try again
Unsettled      a batch got no answer: read before trying again
Rejected       a batch was refused, and nothing of it done: leave the guilty edit out
Throttled      asked too often: wait
Unauthorized, ZoneMissing    a person must look
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx


if TYPE_CHECKING:
    from cloudflare import APIStatusError

    from tailkeeper.records.batches import Batch, Edit

WINDOW = 300.0  # seconds for which Cloudflare blocks a token that asked too often
NO_SUCH_RECORD, NO_ROOM = 81044, 81045


class Unreachable(Exception):
    """Cloudflare did not answer a read, or answered 5xx or nonsense."""


class Unsettled(Exception):
    """Nobody knows whether a batch was carried out: only reading the zone tells."""


class Unauthorized(Exception):
    """The token is unknown, dead, or may not do this."""


class ZoneMissing(Exception):
    """There is no such zone, or the token may not see it."""


class Throttled(Exception):
    """Cloudflare answered 429; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(Exception):
    """Refused, nothing done: Cloudflare's `code`, and a batch's guilty edit when it names one."""

    def __init__(self, message: str, code: int, edit: Edit | None) -> None:
        super().__init__(message)
        self.code = code
        self.edit = edit
        self.full = code == NO_ROOM


def named(error: APIStatusError, unknown: type[Exception], batch: Batch | None = None) -> Exception:
    """Return our name for an error status; `unknown` is what a 5xx means to the caller."""
    status, (code, said, pointer) = error.status_code, _first(error.body)
    sentence = f"Cloudflare answered {status}: {said or 'no reason given'} ({code})"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Throttled(sentence, _seconds(error.response.headers.get("retry-after")))
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return Unauthorized(sentence)
    if status == httpx.codes.NOT_FOUND and code != NO_SUCH_RECORD:
        return ZoneMissing(sentence)
    if error.response.is_client_error and status != httpx.codes.REQUEST_TIMEOUT:
        return Rejected(sentence, code, _guilty(batch, pointer))
    return unknown(sentence)


def _first(body: object) -> tuple[int, str, str]:
    """Return code, sentence and pointer of an envelope's first error, the chain's if it has one."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not errors or not isinstance(errors[0], dict):
        return 0, "", ""
    chain = errors[0].get("error_chain") or [{}]
    said = " ".join(filter(None, (errors[0].get("message"), chain[0].get("message"))))
    pointer = (errors[0].get("source") or {}).get("pointer") or ""
    return int(errors[0].get("code") or 0), said, pointer


def _guilty(batch: Batch | None, pointer: str) -> Edit | None:
    found = re.match(r"/(\w+)/(\d+)", pointer)
    return batch.edit_at(found[1], int(found[2])) if batch and found else None


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdigit() else WINDOW
