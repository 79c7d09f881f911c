"""Somebody else's tailnet, zones and cluster in place of ours: here, those of another sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.embedded import Embedded, running


if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.world


@pytest.fixture(scope="module")
def second(world: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Yield a sandbox whose AWS side works on the first one's outside services."""
    theirs = world.connection
    options = {
        "--tailscale-url": theirs["tailscale"]["base_url"],
        "--cloudflare-url": theirs["cloudflare"]["base_url"],
        "--kubeconfig": theirs["kubernetes"]["tailkeeper"],
        "--socks5": theirs["socks5"],
        "--public-dns": theirs["dns"]["public"],
        "--sweep": "rate(1 day)",
    }
    environment = {
        "TAILSCALE_OAUTH_CLIENT_ID": theirs["tailscale"]["client_id"],
        "TAILSCALE_OAUTH_CLIENT_SECRET": theirs["tailscale"]["client_secret"],
        "CLOUDFLARE_API_TOKEN": theirs["cloudflare"]["api_token"],
        "SSL_CERT_FILE": theirs["tls"]["ca_file"],
    }
    words = [word for option in options.items() for word in option]
    folder = tmp_path_factory.mktemp("second")
    with running(folder, *words, environment=environment) as embedded:
        yield embedded


def test_same_answers(in_step: Embedded, second: Embedded) -> None:
    """What one has brought in step, the other finds in step, by the same services."""
    in_step.forget_requests()

    output = second.converge()

    assert output["outcome"] == "in_sync", output
    assert {one["method"] for one in in_step.requests("cloudflare")} == {"GET"}


def test_events_go_to_both(world: Embedded, second: Embedded) -> None:
    """The second receiver is registered beside the first, which is alive."""
    endpoints = {endpoint["endpointUrl"] for endpoint in world.tailnet()["webhooks"]}

    assert endpoints == {
        f"{each.connection['webhooks']['base_url']}/webhooks/tailscale" for each in (world, second)
    }
