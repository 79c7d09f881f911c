"""Redeliver Webhooks: what GitHub could not deliver is asked for once, however often one sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import redeliver_webhooks
from sandbox.git import GitHost
from sandbox.git.state import Delivery
from sandbox.threads import running
from tests.support.handlers import set_secret
from tests.support.repositories import admin


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.adapters.stack import Stack

NAME, HOOK = "me/homelab", 77


@pytest.fixture
def host(
    aws: Stack, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GitHost]:
    """Serve a repository whose webhook leads nowhere, and has failed twice."""
    made = GitHost(tmp_path_factory.mktemp("git"), token="token")
    made.add("github", NAME)
    with running(made):
        monkeypatch.setenv("GIT_URL", made.base_url)
        set_secret("GIT_SECRET", {"github": "token"})
        hook = {"repository": NAME, "url": "http://127.0.0.1:9/x", "secret": "s", "id": HOOK}
        admin(made, "/hooks", hook)
        now = made.hooks.now()
        made.gate.state.deliveries += [
            Delivery(1001, HOOK, "lost", "push", None, now, {}, status_code=503),
            Delivery(1002, HOOK, "taken", "push", None, now, {}, status_code=202),
            Delivery(1003, HOOK, "cut", "push", None, now, {}, status_code=0),
        ]
        yield made


def redeliver(hook: int = HOOK) -> dict[str, Any]:
    """Run the state."""
    config = {"repositories": [{"provider": "github", "name": NAME, "hook": hook}]}
    return redeliver_webhooks.handler({"config": config}, None)


def asked(host: GitHost) -> list[str]:
    """Return the methods and last parts of what was asked."""
    return [f"{r['method']} {r['path'].partition('/deliveries')[2]}" for r in host.requests]


def test_what_failed_is_asked_for_once(host: GitHost) -> None:
    """One list for each sweep, and for the twin of an Express run nothing more."""
    assert redeliver() == {NAME: 2}
    assert redeliver() == {NAME: 0}

    posts = ["POST /1001/attempts", "POST /1003/attempts"]
    assert sorted(asked(host)) == sorted(["GET ", "GET ", *posts])


def test_what_the_host_did_not_take_is_asked_for_again(aws: Stack, host: GitHost) -> None:
    """One refusal costs neither its own delivery, a sweep later, nor those behind it."""
    admin(host, "/faults", {"path": "*/attempts", "status": 502})
    assert "502" in redeliver()[NAME]
    assert redeliver() == {NAME: 1}

    aws.table.put({"pk": f"redelivery#github {NAME}", "sk": "1001", "asked_until": 0})
    redeliver()

    posts = [one for one in asked(host) if one.startswith("POST")]
    assert posts[:3] == [f"POST /{n}/attempts" for n in (1001, 1003, 1001)]


def test_a_repository_without_a_webhook_is_left_alone(host: GitHost) -> None:
    """Not one call is made for it."""
    assert redeliver(hook=0) == {}
    assert host.requests == []


def test_a_token_that_may_not_is_reported(host: GitHost) -> None:
    """A sweep does not fail for it."""
    admin(host, "/tokens", {"value": "reader", "rights": ["contents"]})
    set_secret("GIT_SECRET", {"github": "reader"})

    assert "403" in redeliver()[NAME]
