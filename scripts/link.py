"""Make the checkout importable in its environment, and `tailkeeper` a command of it."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
COMMAND = """#!{python}
import sys

from cli.__main__ import main

sys.exit(main())
"""


def main() -> None:
    """Write the path file and the command; both are the same every time."""
    packages = Path(sysconfig.get_path("purelib"))
    paths = (ROOT, ROOT / "layers" / "core")
    (packages / "tailkeeper.pth").write_text("".join(f"{path}\n" for path in paths))
    command = Path(sys.executable).parent / "tailkeeper"
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)


if __name__ == "__main__":
    main()
