"""`make deploy`: validate tailkeeper.yaml, then `sam deploy` with it as the stack's parameters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING


ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from cli.config_file import ConfigFileError, read_config  # noqa: E402 - the path comes first


if TYPE_CHECKING:
    from tailkeeper.config import Config

PIECE = 4096  # bytes of a parameter's value in CloudFormation


def main() -> int:
    """Deploy what `make build` built; further arguments go to `sam deploy`.

    `Name=value` sets another parameter of the stack, which keeps it from then on.
    """
    path = Path("tailkeeper.yaml")
    if not path.is_file():
        print("There is no tailkeeper.yaml here; `tailkeeper up --manifests DIR` derives one.")
        return 64
    try:
        given = overrides(read_config(path))
    except ConfigFileError as error:
        print(error, file=sys.stderr)
        return 64
    command = [str(ROOT / ".sam/bin/sam"), "deploy", "--parameter-overrides", *given]
    return subprocess.run([*command, *sys.argv[1:]], check=False).returncode


def overrides(config: Config) -> list[str]:
    """Return a configuration as two parameters, in the quotes that `sam deploy` takes off.

    Raise ConfigFileError when it is larger than both, which is what SSM holds, too.
    """
    text = json.dumps(config.as_json(), separators=(",", ":"))
    # Of backslashes, SAM takes off more than it should; before a `u` they are safe.
    text = text.replace("\\\\", "\\u005c").replace('\\"', "\\u0022")
    # A piece that ended in a backslash would take the quote after it along.
    end = PIECE - text[:PIECE].endswith("\\")
    first, rest = text[:end], text[end:]
    if len(rest) > PIECE:
        raise ConfigFileError(
            f"tailkeeper.yaml: {len(text)} bytes of JSON: SSM holds {2 * PIECE}; name fewer things"
        )
    return [_quoted("Config", first), _quoted("ConfigRest", rest)]


def _quoted(name: str, value: str) -> str:
    return f"ParameterKey={name},ParameterValue=" + '"{}"'.format(value.replace('"', '\\"'))


if __name__ == "__main__":
    sys.exit(main())
