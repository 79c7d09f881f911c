"""A change that breaks what worked is taken back by itself, and only that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.embedded import until


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.embedded import Embedded

pytestmark = [pytest.mark.world, pytest.mark.xdist_group("world")]

ZONE = "hearth.example"
HOME, DOCS = f"home.{ZONE}", f"docs.{ZONE}"
WAYS: list[tuple[str, Any, Any]] = [
    (HOME, "tailnet", "split-dns"),
    (HOME, "tailnet", "public-record"),
    (DOCS, "tailnet", "split-dns"),
]
SLOW = {"method": "POST", "path": "*/batch", "delay_ms": 800}


@pytest.fixture
def moved(in_step: Embedded) -> Iterator[float]:
    """Move the gateway to a device that is lost while the answers are being moved to it.

    The old device goes on, so that all of it worked until then. Yield when it began.
    """
    began, old = time.time(), in_step.devices("gateway-envoy")[0]
    in_step.forget_requests()
    in_step.admin("cloudflare", "POST", "/faults", SLOW)
    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    new = in_step.admin("tailscale", "POST", "/devices", machine)
    in_step.admin("tailscale", "POST", f"/devices/{old['nodeId']}/connect")
    until(lambda: [r for r in in_step.requests("cloudflare") if r["method"] == "POST"], bool)
    in_step.admin("tailscale", "POST", f"/devices/{new['nodeId']}/disconnect")
    yield began
    in_step.admin("tailscale", "POST", f"/devices/{new['nodeId']}/connect")


def test_new_gateway_that_takes_no_connection(in_step: Embedded, moved: float) -> None:
    """Records and resolver go back to the device that answers; the change says so."""
    outputs = in_step.outputs_since(moved)

    assert [(o["outcome"], o["proof"]["word"]) for o in outputs] == [("undone", "worse")]
    entries = in_step.change(outputs[0]["change_id"])["entries"]
    taken_back = [entry["change"] for entry in entries if entry["round"].endswith("-undo")]
    assert {change["surface"] for change in taken_back} == {"records", "resolver"}
    assert {HOME, DOCS} <= {change["key"] for change in taken_back}
    until(lambda: [answer.ok for answer in in_step.ask_all(WAYS)], all, seconds=10)
