"""A user's own GitOps repository as the cluster: derived, taken over, kept in step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.embedded import Embedded, running


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.world

ZONE = "sudhanva.me"


@pytest.fixture(scope="module")
def repository(
    user_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedded]:
    """Yield the world of the example repository."""
    folder = tmp_path_factory.mktemp("repository")
    options = ("--manifests", str(user_repository), "--sweep", "rate(1 day)")
    with running(folder, *options) as embedded:
        yield embedded


def test_repository(repository: Embedded) -> None:
    """Published names follow the device, docs. stays unpublished, the CronJob is suspended."""
    output = repository.converge()

    assert output["outcome"] == "applied", output
    gateway = repository.devices("gateway-envoy")[0]
    records = repository.records(ZONE)
    assert records["CNAME", f"grafana.{ZONE}"] == gateway["name"]
    assert records["CNAME", f"docs.{ZONE}"].endswith(".pages.dev")
    docs = repository.ask(f"docs.{ZONE}", "tailnet")
    assert (docs.ok, docs.addresses) == (True, (gateway["addresses"][0],))
    cron_job = repository.kubectl("-n", "tailscale-dns", "get", "cronjob", "-o", "json")
    assert [item["spec"]["suspend"] for item in json.loads(cron_job)["items"]] == [True]
    journalled = {
        entry["change"]["key"]: (entry["change"]["before"], entry["change"]["after"])
        for entry in repository.change(output["change_id"])["entries"]
    }
    assert journalled["cronjob/tailscale-dns-updater"] == ({"suspend": False}, {"suspend": True})


def test_what_was_left_out(repository: Embedded) -> None:
    """What could not be rendered is said, with its reason; so is the configuration."""
    told = " ".join((repository.state.parent / "up.log").read_text().split())

    assert "a kustomization is not rendered" in told
    assert "annotation_filter: external-dns.alpha.kubernetes.io/expose=true" in told
    assert "tailscale-dns-updater" in told
    assert "Service vault/vault-ui is in no manifest" in told
