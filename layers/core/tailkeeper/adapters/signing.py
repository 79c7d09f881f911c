"""The webhook secrets that are valid now: every stage of the secret, read again when one fails."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tailkeeper.adapters.aws import Aws, AwsError
from tailkeeper.adapters.fresh import Fresh
from tailkeeper.webhooks.signatures import WrongSignatureError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tailkeeper.webhooks.signatures import Verifier

STAGES = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")


def signing_secrets(
    *senders: str, aws: Aws | None = None, now: Callable[[], float] = time.time
) -> Fresh[tuple[str, ...]]:
    """Return the secrets under these keys: the JSON secret maps each to one or to several."""
    return Fresh(partial(_read, aws or Aws(), senders), now)


def check(verify: Verifier, secrets: Fresh[tuple[str, ...]]) -> None:
    """Verify against every valid secret, read anew if none fits; raise SignatureError."""
    try:
        verify(secrets.get())
    except WrongSignatureError:
        if not secrets.read_again():
            raise
        verify(secrets.get())


def _read(aws: Aws, senders: Iterable[str]) -> tuple[str, ...]:
    documents = [_stage(aws, stage) for stage in STAGES]
    found = [each for document in documents for key in senders for each in _of(document.get(key))]
    return tuple(dict.fromkeys(found))


def _of(value: str | list[str] | None) -> list[str]:
    # An empty secret signs for everybody: it is none.
    return [secret for secret in ([value] if isinstance(value, str) else value or ()) if secret]


def _stage(aws: Aws, stage: str) -> dict[str, str | list[str]]:
    try:
        answer = aws.call(
            "secretsmanager",
            "GetSecretValue",
            SecretId=os.environ["WEBHOOK_SECRETS"],
            VersionStage=stage,
        )
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise
    document: dict[str, str | list[str]] = json.loads(answer["SecretString"])
    return document
