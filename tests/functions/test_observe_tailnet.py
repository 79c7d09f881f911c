"""Observe Tailnet: everything in one call an endpoint, and a reason where it fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from functions import observe_tailnet
from tailkeeper.adapters.lease import LeaseLost
from tests.support.handlers import client, set_secret


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside


def test_devices_services_and_split_dns_cost_one_call_each(aws: Stack, outside: Outside) -> None:
    """The whole tailnet comes complete, without a second look."""
    outside.tailscale.register("gateway-envoy", tags=["tag:k8s"])

    seen = aws.artifacts.unpack(observe_tailnet.handler(outside.event(), None))

    assert seen["complete"]
    assert [device["hostname"] for device in seen["devices"]] == ["gateway-envoy"]
    paths = [request["path"] for request in outside.tailscale.requests]
    assert len(paths) == len(set(paths)) == 4


def test_a_revoked_client_makes_the_observation_partial(aws: Stack, outside: Outside) -> None:
    """Nobody lets us in: nothing is seen, and nothing is concluded from it."""
    set_secret("TAILSCALE_SECRET", {"client_id": "id", "client_secret": "wrong"})

    seen = aws.artifacts.unpack(observe_tailnet.handler(outside.event(), None))

    assert not seen["complete"]
    assert set(seen["partial"]) == {"devices", "services", "split_dns"}
    assert "OAuth client" in seen["partial"]["devices"]


def test_a_secret_that_nobody_has_filled_yet_makes_it_partial(
    aws: Stack, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the first sweeps after a deploy say what is missing, instead of failing."""
    secrets = client(os.environ["AWS_ENDPOINT_URL"], "secretsmanager")
    empty = secrets.create_secret(Name="empty")["ARN"]
    monkeypatch.setenv("TAILSCALE_SECRET", empty)

    seen = aws.artifacts.unpack(observe_tailnet.handler(outside.event(), None))

    assert "holds neither client_id" in seen["partial"]["devices"]


def test_a_run_without_the_lease_reads_nothing(aws: Stack, outside: Outside) -> None:
    """Every function renews the lease first; a successor's fence stops it."""
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        observe_tailnet.handler(outside.event(), None)

    assert not outside.tailscale.requests
