"""After `make build`: built functions answer from their built artefacts alone.

The path is the function's folder, its layers' folders and what Lambda's own runtime holds, without
this environment's packages. Functions whose layers hold code compiled for arm64 only run there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / ".aws-sam" / "build"
sys.path[:0] = [str(ROOT)]

from sandbox.aws.workers.layers import runtime_folder  # noqa: E402 - the path comes first
from scripts.checks import template  # noqa: E402 - the path comes first


ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "WEBHOOK_TOLERANCE_SECONDS": "90000",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
UNSIGNED = {"headers": {"content-type": "application/json"}, "body": "[]", "isBase64Encoded": False}
IMPORT = "import {module}; print('{{}}')"
ANSWER = "import json, {module}; print(json.dumps({module}.handler({event!r}, None)))"


def main() -> int:
    """Run each built function that this processor can run; return 1 when one fails."""
    for function in template.load(ROOT / "template.yaml").functions:
        folders = [BUILT / name / "python" for name in function.layers]
        if any(next(folder.rglob("*.so"), None) for folder in folders):
            continue
        receiver = function.module.startswith("receive_")
        code = (ANSWER if receiver else IMPORT).format(module=function.module, event=UNSIGNED)
        answer = _run(code, [BUILT / function.name, *folders, runtime_folder()])
        if receiver and answer.get("statusCode") != 401:  # noqa: PLR2004 - Unauthorized
            print(f"{function.name} answered {answer}", file=sys.stderr)
            return 1
        print(f"{function.name}: {'answers' if receiver else 'loads'} from its artefact")
    return 0


def _run(code: str, path: list[Path]) -> dict[str, object]:
    search = os.pathsep.join(map(str, path))
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**ENVIRONMENT, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(result.stderr)
    document: dict[str, object] = json.loads(result.stdout)
    return document


if __name__ == "__main__":
    sys.exit(main())
