"""Run a test module's CASES on moto as it comes: `python stock.py MODULE`, results as JSON."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def load(path: Path) -> Any:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Run all cases at once: each has state machines, queues and functions of its own."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    conftest = load(Path(__file__).with_name("conftest.py"))
    module = load(Path(sys.argv[1]))
    server, cloud = conftest.serve()

    def attempt(case: Any) -> Any:
        try:
            return case(cloud)
        except Exception as error:  # noqa: BLE001 - failing is what a defect may look like
            return {"raised": f"{type(error).__name__}: {error}"}

    with ThreadPoolExecutor(4) as pool:
        results = dict(zip(module.CASES, pool.map(attempt, module.CASES.values()), strict=True))
    print(json.dumps(results, default=str))
    sys.stdout.flush()
    server.stop()


if __name__ == "__main__":
    main()
