"""Signing secrets: every stage is valid, read once in five minutes, and again for a stranger."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.signing import SigningSecrets
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from tests.support.line import Line


class Clock:
    """A clock that stands until it is moved."""

    at = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def secrets(line: Line, clock: Clock) -> SigningSecrets:
    """Return the secrets of Tailscale's webhooks, none of them read yet."""
    return SigningSecrets("tailscale", now=clock)


def stage(line: Line, name: str, value: str) -> None:
    """Put a version of the secret with a stage of its own."""
    client(line.target, "secretsmanager").put_secret_value(
        SecretId=os.environ["WEBHOOK_SECRETS"],
        SecretString=json.dumps({"tailscale": value}),
        VersionStages=[name],
    )


def reads(line: Line) -> int:
    """Return how often the whole secret was read."""
    return line.operations.count("GetSecretValue") // 3


def test_every_stage_is_valid_the_current_one_first(line: Line, secrets: SigningSecrets) -> None:
    """A rotation keeps two alive, and the pending one may sign before it is current."""
    set_secret("WEBHOOK_SECRETS", {"tailscale": ["one", "two"], "github": "other"})
    set_secret("WEBHOOK_SECRETS", {"tailscale": "three", "github": "other"})
    stage(line, "AWSPENDING", "four")

    assert secrets.valid() == ("three", "four", "one", "two")


def test_a_sender_without_a_secret_has_none(secrets: SigningSecrets) -> None:
    """An empty secret verifies nobody."""
    assert secrets.valid() == ()


def test_a_secret_is_read_once_in_five_minutes(
    line: Line, secrets: SigningSecrets, clock: Clock
) -> None:
    """Not for each event."""
    for clock.at in (0, 299, 300, 301, 600):
        secrets.valid()

    assert reads(line) == 2


def test_a_stranger_makes_it_read_again_but_not_at_once(
    line: Line, secrets: SigningSecrets, clock: Clock
) -> None:
    """Ten seconds apart, so that a flood of wrong signatures costs nothing."""
    set_secret("WEBHOOK_SECRETS", {"tailscale": "old"})
    secrets.valid()
    set_secret("WEBHOOK_SECRETS", {"tailscale": "new"})

    clock.at = 9
    assert (secrets.read_again(), reads(line)) == (False, 1)
    clock.at = 10
    assert (secrets.read_again(), secrets.valid()) == (True, ("new", "old"))
    clock.at = 20
    assert (secrets.read_again(), reads(line)) == (False, 3)


def test_a_secret_that_may_not_be_read_is_an_error(line: Line, secrets: SigningSecrets) -> None:
    """No secret and no permission are two things: the second must not become 401s."""
    line.fail("GetSecretValue", status=400, body={"__type": "AccessDeniedException"})

    with pytest.raises(AwsError, match="AccessDenied"):
        secrets.valid()
