"""Our warm worker as the bench drives it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.processes import environment
from bench.records.peer import Spent
from bench.records.zones import GATEWAY, OWNER, TOKEN, ZONE


if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Ours:
    """The worker, started; `imports` is the CPU until it was ready."""

    url: str
    file: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ours-"), "wanted"))
    imports: float = 0

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "bench.records.worker", self.url, TOKEN, ZONE, OWNER]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self.imports = self._answer()["cpu"]

    def want(self, names: Iterable[str], target: str) -> None:
        """Write what is wanted, as it is compiled from a cluster."""
        document = {
            f"{name}.{ZONE}": {
                "target": target,
                "resource": f"httproute/apps/{name}",
                "former": [GATEWAY],
            }
            for name in names
        }
        self.file.write_text(json.dumps(document))

    def know(self) -> None:
        """Let the worker see the zone as it is, before a run is timed."""
        self._ask({"do": "know"})

    def sync(self, *, event: bool) -> Spent:
        """Run once."""
        cost = self._ask({"do": "sync", "wanted": str(self.file), "event": event})
        return Spent(cost["cpu"], cost["wall"])

    def stop(self) -> None:
        """End the worker."""
        self.process.communicate()

    def _ask(self, order: dict[str, Any]) -> dict[str, float]:
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, float]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError(f"the worker ended with {self.process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer
