"""Probe Endpoints: a packed batch in, packed findings out, under the lease."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from functions import probe_endpoints
from tailkeeper.adapters.lease import LEASE, LeaseLost
from tests.support.handlers import RUN


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack


def event(aws: Stack, hosts: int, **more: Any) -> dict[str, Any]:
    """Return the state's input, for exposures that two views have; nothing can be looked at."""
    targets = [
        {
            "kind": "exposure",
            "host": f"app{number}.example.com",
            "port": 443,
            "protocol": "https",
            "zone": "example.com",
            "created": True,
            "public": {"records": [{"type": "A", "content": "100.64.0.7", "proxied": False}]},
        }
        for number in range(hosts)
    ]
    batch = {"targets": targets, "authorities": {"example.com": []}}
    packed = aws.artifacts.pack(batch, "probes", budget=100)
    return {"run": RUN, "targets": packed, "before": True, **more}


def test_findings_come_back_inline_and_the_lease_is_renewed(aws: Stack) -> None:
    """Without a proxy and before a creation both paths are blind, and both say why."""
    packed = probe_endpoints.handler(event(aws, 1), None)

    findings = [{k: v for k, v in f.items() if k != "ms"} for f in packed["inline"]]
    assert findings == [
        {
            "host": "app0.example.com",
            "view": view,
            "path": path,
            "state": "blind",
            "detail": why,
            "hop": None,
        }
        for view, path, why in (
            (
                "public",
                "authoritative",
                "not asked before it exists: its denial would stay in caches",
            ),
            ("tailnet", "public-record", "no proxy into the tailnet is configured"),
        )
    ]
    lease = aws.table.get(*LEASE)
    assert lease is not None
    assert lease["expires"] > time.time() + 100


def test_findings_of_500_hosts_travel_as_a_pointer(aws: Stack) -> None:
    """A batch's findings do not fit a state; the bucket has them all, in the targets' order."""
    packed = probe_endpoints.handler(event(aws, 500), None)

    assert packed["artifact"].startswith("passing/findings/")
    hosts = [f["host"] for f in aws.artifacts.unpack(packed)]
    assert hosts == [f"app{number}.example.com" for number in range(500) for _ in range(2)]


def test_a_run_that_lost_the_lease_probes_nothing(aws: Stack) -> None:
    """Its findings would be judged by nobody."""
    with pytest.raises(LeaseLost):
        probe_endpoints.handler(event(aws, 1, run={**RUN, "fence": 7}), None)
