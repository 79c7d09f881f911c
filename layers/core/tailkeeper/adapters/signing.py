"""The webhook secrets that are valid now: every stage of the secret, read again when one fails."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailkeeper.adapters.aws import Aws, AwsError


if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")
FRESH = 300
AGAIN = 10  # seconds before an unknown signature makes us read the secret again


@dataclass
class SigningSecrets:
    """The secrets of one sender: the JSON secret maps a sender to one secret or to several."""

    sender: str
    aws: Aws = field(default_factory=Aws)
    now: Callable[[], float] = time.time
    _secrets: tuple[str, ...] = ()
    _read_at: float = float("-inf")

    def valid(self) -> tuple[str, ...]:
        """Return the secrets, at most five minutes old."""
        if self.now() - self._read_at > FRESH:
            self._read()
        return self._secrets

    def read_again(self) -> bool:
        """Read the secrets again, unless that was just done; return whether they changed."""
        if self.now() - self._read_at < AGAIN:
            return False
        before = self._secrets
        self._read()
        return self._secrets != before

    def _read(self) -> None:
        found: list[str] = []
        for stage in STAGES:
            found += [secret for secret in self._stage(stage) if secret not in found]
        self._secrets, self._read_at = tuple(found), self.now()

    def _stage(self, stage: str) -> list[str]:
        try:
            answer = self.aws.call(
                "secretsmanager",
                "GetSecretValue",
                SecretId=os.environ["WEBHOOK_SECRETS"],
                VersionStage=stage,
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return []
            raise
        value = json.loads(answer["SecretString"]).get(self.sender) or []
        return [value] if isinstance(value, str) else list(value)
