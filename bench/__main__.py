"""`make bench`: every comparison in one run; exit 1 when a limit is not kept."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from rich.console import Console

from bench import imports, receiver


PEERS = ("boto3", "aws-lambda-powertools", "cloudflare", "kubernetes", "httpx")


def main() -> int:
    """Print the tables; return 0 when every limit is kept."""
    console = Console(width=100)
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    console.print(f"CPython {platform.python_version()}, {versions}")
    kept = True
    for part in (imports, receiver):
        table, within = part.measure()
        console.print(table)
        kept = kept and within
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
