"""Fresh processes and what they cost: CPU seconds of the whole process, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]
PATH = os.pathsep.join(map(str, (ROOT / "functions", ROOT / "layers" / "core", ROOT)))
ROUNDS = 5
# Linux leaves a process the peak of the one that started it in ru_maxrss; macOS counts bytes.
PEAK = (
    "int(next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1])"
    if sys.platform == "linux"
    else "u.ru_maxrss // 1024"
)
TELL = (
    f"import resource as r; u = r.getrusage(r.RUSAGE_SELF); print(u.ru_utime + u.ru_stime, {PEAK})"
)


@dataclass(frozen=True)
class Cost:
    """The medians of some fresh processes: CPU in milliseconds, peak memory in megabytes."""

    cpu: float
    memory: float

    @classmethod
    def median(cls, costs: Sequence[Cost]) -> Cost:
        """Return the medians of both."""
        return cls(
            statistics.median(cost.cpu for cost in costs),
            statistics.median(cost.memory for cost in costs),
        )


def environment() -> dict[str, str]:
    """Return a function's environment: byte code is kept, as in a release build."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPATH": PATH,
        "AWS_REGION": "eu-central-1",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def once(code: str) -> Cost:
    """Run code in a fresh interpreter; raise CalledProcessError when it fails."""
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\n{TELL}"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    cpu, memory = answer.stdout.split()[-2:]
    return Cost(float(cpu) * 1000, int(memory) / 1024)


def interleaved(cases: Mapping[str, str]) -> dict[str, Cost]:
    """Run every case once a round, so that a slow minute falls on all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in cases}
    for round_ in range(ROUNDS + 1):
        for name, code in cases.items():
            cost = once(code)
            if round_:  # the first one writes byte code
                costs[name].append(cost)
    return {name: Cost.median(found) for name, found in costs.items()}
