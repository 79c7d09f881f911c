"""`make deploy`: validate tailkeeper.yaml, then `sam deploy` with it as the Config parameter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from cli.config_file import read_config  # noqa: E402 - the path comes first
from tailkeeper.config import ConfigError  # noqa: E402 - the path comes first


def main() -> int:
    """Deploy what `make build` built; further arguments go to `sam deploy`."""
    path = Path("tailkeeper.yaml")
    if not path.is_file():
        print("There is no tailkeeper.yaml here; `tailkeeper up --manifests DIR` derives one.")
        return 64
    try:
        config = read_config(path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 64
    document = json.dumps(config.as_json(), separators=(",", ":"))
    override = "ParameterKey=Config,ParameterValue=" + json.dumps(document)
    command = [str(ROOT / ".sam/bin/sam"), "deploy", "--parameter-overrides", override]
    return subprocess.run([*command, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
