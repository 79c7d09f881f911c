"""`make bench`: every comparison in one run, or the parts that are named; exit 1 over a limit.

python -m bench [imports] [receiver] [records]
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from rich.console import Console

from bench import imports, receiver
from bench.records import report as records


PARTS = {"imports": imports.measure, "receiver": receiver.measure, "records": records.measure}
PEERS = ("boto3", "aws-lambda-powertools", "cloudflare", "kubernetes", "httpx")


def main(chosen: list[str]) -> int:
    """Print the tables; return 0 when every limit is kept, 64 for a part that there is not."""
    if unknown := set(chosen) - PARTS.keys():
        print(f"no part {', '.join(sorted(unknown))}: {', '.join(PARTS)}", file=sys.stderr)
        return 64
    console = Console(width=100)
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    console.print(f"CPython {platform.python_version()}, {versions}")
    kept = True
    for part in chosen or PARTS:
        table, within = PARTS[part]()
        console.print(table)
        kept = kept and within
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
