"""A receiver in a fresh interpreter: what it imports, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


ROOT = Path(__file__).parents[2]


def answered(function: str, asked: list[Any], folder: Path) -> tuple[list[int], set[str], str]:
    """Hand requests to a function; return its statuses, its process's modules, and its log."""
    (folder / "events.json").write_text(json.dumps(asked))
    program = (
        f"import json, sys; import {function} as r; "
        f"asked = json.load(open({str(folder / 'events.json')!r})); "
        "answers = [r.handler(one, None)['statusCode'] for one in asked]; "
        "print(json.dumps([answers, sorted(sys.modules)]))"
    )
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/core"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": paths, "POWERTOOLS_LOG_LEVEL": "DEBUG"},
        capture_output=True,
        text=True,
        check=True,
    )
    *log, last = done.stdout.splitlines()
    statuses, modules = json.loads(last)
    return statuses, set(modules), "".join(log) + done.stderr
