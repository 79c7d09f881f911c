"""Ten thousand exposures: what states carry, and what a function of 256 MB holds of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions import gather_causes
from tailkeeper.adapters.artifacts import BUDGET
from tailkeeper.model import Cause
from tests.support.handlers import RUN
from tests.support.worlds import Bench, documents, route


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack

ROOT = Path(__file__).parents[2]
COUNT = 10_000
STATE = 256 * 1024  # bytes, of Step Functions
LAMBDA = 200  # MB of 256: the runtime has its share
CHILD = """
import json, sys
import plan_change
print(json.dumps(plan_change.handler(json.load(sys.stdin), None)))
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def observed(aws: Stack, bench: Bench) -> dict[str, Any]:
    """Return what the readers would have handed on."""
    seen = documents(bench.world())
    return {name: aws.artifacts.pack(made, "observations") for name, made in seen.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="macOS tells no peak of one process")
def test_plan_change_fits_into_its_function(aws: Stack) -> None:
    """Twenty thousand changes are planned, packed and probed for in a process of 200 MB."""
    bench = Bench([route(f"app-{n:05}-{n * 2654435761 % 2**32:08x}") for n in range(COUNT)])
    causes = [{"kind": "git", "id": str(n), "at": "t", "by": "x" * 200, "ref": ""} for n in "123"]
    gathered = gather_causes.gathered([], ["records", "resolver"], [])
    event = {
        "run": RUN,
        "round": 1,
        "config": bench.config.as_json(),
        "gathered": {**gathered, "causes": causes},
        "observed": observed(aws, bench),
        "waited": 0,
    }

    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/functions:{ROOT}/layers/core"},
    )
    answer, peak = child.stdout.splitlines()[:2]

    planned = json.loads(answer)
    assert planned["counts"]["create"] >= 2 * COUNT
    assert len(planned["probes"]) == COUNT / 500
    assert max(len(json.dumps(event)), len(answer)) < STATE
    assert int(peak.split()[1]) / 1024 < LAMBDA


def test_what_plan_change_is_given_fits_into_a_state(aws: Stack) -> None:
    """Five observations just within their budget, and as much gathered as is ever handed on."""
    causes = [
        {"kind": "tailscale", "id": str(n), "at": "t", "by": "b", "ref": f"nodeCreated n{n:010} x"}
        for n in range(1000)
    ]
    digests = [f"{n:064}" for n in range(COUNT)]
    gathered = gather_causes.gathered(
        [Cause.from_json(cause) for cause in causes], ["records"], digests
    )
    packed = {"inline": "x" * (BUDGET - 2)}
    readers = ("tailnet", "cluster", "zones", "resolver", "git")

    event = {"gathered": gathered, "observed": dict.fromkeys(readers, packed), "config": "c" * 8192}

    assert len(json.dumps(event)) < STATE
