"""Somebody else writes what we write, or a device changes without an event."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

NAMESPACE, HOSTS = ("-n", "tailnet-dns"), ("configmap", "tailkeeper-hosts")
ZONE = "hearth.example"
HOME = f"home.{ZONE}"
HIS = f"100.64.0.66 {HOME}\n"


def patch(world: Embedded, text: str) -> None:
    """Let a person write the hosts file that he thinks is right."""
    document = json.dumps({"data": {"hosts": text}})
    world.kubectl(*NAMESPACE, "patch", *HOSTS, "--type", "merge", "-p", document)


def hosts(world: Embedded) -> list[str]:
    """Return the lines of the hosts file that answer for one name."""
    found = json.loads(world.kubectl(*NAMESPACE, "get", *HOSTS, "-o", "json"))
    return [line for line in found["data"]["hosts"].splitlines() if HOME in line]


def sweep(world: Embedded) -> dict[str, Any]:
    """Run a sweep; return its output."""
    output: dict[str, Any] = json.loads(world.command("run", "sweep", "--json").stdout)
    return output


def test_two_reverts(in_step: Embedded) -> None:
    """A manual `kubectl patch` fails no run: it is written over, then held, and each time named.

    Who approves the hold lets one write through.
    """
    ours = hosts(in_step)
    patch(in_step, HIS)
    first = in_step.converge()
    patch(in_step, HIS)
    second = in_step.converge()
    swept = sweep(in_step)
    approved = json.loads(in_step.command("approve", second["change_id"], "--json").stdout)
    settled = in_step.converge()

    outcomes = [output["outcome"] for output in (first, second, swept, approved, settled)]
    assert outcomes == ["applied", "held", "in_sync", "applied", "in_sync"]
    assert hosts(in_step) == ours
    reports = in_step.change(first["change_id"])["reports"]
    assert any(report.startswith("kubectl-patch wrote hosts of") for report in reports)
    assert swept["plan"]["held"] == second["plan"]["held"] > 0


def test_a_rename_that_nobody_tells(in_step: Embedded) -> None:
    """Tailscale sends no event when a device is renamed: the sweep finds it, and says so."""
    carrier = in_step.records(ZONE)["CNAME", HOME]
    node = next(d["nodeId"] for d in in_step.devices("gateway-envoy") if d["name"] == carrier)
    name = carrier.partition(".")[0]
    sweep(in_step)
    began = time.time()
    in_step.admin("tailscale", "POST", f"/devices/{node}/rename", {"name": "front"})

    swept = sweep(in_step)

    found = f"device {node} {name} renamed to front"
    assert (swept["outcome"], swept["devices"]) == ("started", [found])
    (output,) = in_step.outputs_since(began)
    assert output["outcome"] == "applied"
    assert f"found by sweep: {found}" in [cause["ref"] for cause in output["causes"]]
    in_step.admin("tailscale", "POST", f"/devices/{node}/rename", {"name": name})
