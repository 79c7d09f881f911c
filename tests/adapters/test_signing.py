"""Signing secrets: every stage is valid, read once in five minutes, and again for a stranger."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.signing import check, signing_secrets
from tailkeeper.webhooks.signatures import WrongSignatureError, token
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from tailkeeper.adapters.fresh import Fresh
    from tests.support.line import Line

    Secrets = Fresh[tuple[str, ...]]


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
def secrets(line: Line, clock: Clock) -> Secrets:
    """Return the secrets of Tailscale's webhooks, none of them read yet."""
    return signing_secrets("tailscale", now=clock)


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


def test_every_stage_is_valid_the_current_one_first(line: Line, secrets: Secrets) -> None:
    """A rotation keeps two alive, and the pending one may sign before it is current."""
    set_secret("WEBHOOK_SECRETS", {"tailscale": ["one", "two"], "github": "other"})
    set_secret("WEBHOOK_SECRETS", {"tailscale": "three", "github": "other"})
    stage(line, "AWSPENDING", "four")

    assert secrets.get() == ("three", "four", "one", "two")


def test_a_sender_without_a_secret_has_none(secrets: Secrets) -> None:
    """An empty secret verifies nobody."""
    assert secrets.get() == ()


def test_a_host_has_its_own_secrets_and_those_of_all_git_hosts(line: Line) -> None:
    """Its own first, each once; what is empty is no secret, for everybody knows it."""
    document = {"gitlab": ["one", ""], "git": ["two", "one"], "github": "", "flux": "other"}
    set_secret("WEBHOOK_SECRETS", document)

    assert signing_secrets("gitlab", "git").get() == ("one", "two")
    assert signing_secrets("github").get() == ()


def test_a_signature_is_checked_again_with_a_secret_that_is_new(
    line: Line, secrets: Secrets, clock: Clock
) -> None:
    """No delivery is refused for having been signed with the secret of a minute ago."""
    check_token = token("new")
    with pytest.raises(WrongSignatureError):
        check(check_token, secrets)
    set_secret("WEBHOOK_SECRETS", {"tailscale": "new"})
    with pytest.raises(WrongSignatureError):
        check(check_token, secrets)
    clock.at = 10
    check(check_token, secrets)


def test_a_secret_is_read_once_in_five_minutes(line: Line, secrets: Secrets, clock: Clock) -> None:
    """Not for each event."""
    for clock.at in (0, 299, 300, 301, 600):
        secrets.get()

    assert reads(line) == 2


def test_a_stranger_makes_it_read_again_but_not_at_once(
    line: Line, secrets: Secrets, clock: Clock
) -> None:
    """Ten seconds apart, so that a flood of wrong signatures costs nothing."""
    set_secret("WEBHOOK_SECRETS", {"tailscale": "old"})
    secrets.get()
    set_secret("WEBHOOK_SECRETS", {"tailscale": "new"})

    clock.at = 9
    assert (secrets.read_again(), reads(line)) == (False, 1)
    clock.at = 10
    assert (secrets.read_again(), secrets.get()) == (True, ("new", "old"))
    clock.at = 20
    assert (secrets.read_again(), reads(line)) == (False, 3)


def test_a_secret_that_may_not_be_read_is_an_error(line: Line, secrets: Secrets) -> None:
    """No secret and no permission are two things: the second must not become 401s."""
    line.fail("GetSecretValue", status=400, body={"__type": "AccessDeniedException"})

    with pytest.raises(AwsError, match="AccessDenied"):
        secrets.get()
