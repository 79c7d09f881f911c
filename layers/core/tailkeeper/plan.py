"""Planning as a filter, for tests, scripts and doubts: a case in, its plan out.

    python -m tailkeeper.plan < case.json

    {"zone", "records", "wanted", …}    one zone by hand: its changes, and what Cloudflare is sent
    {"config", "observed", "now", …}    a whole world: the judged plan that a run would make

Both forms are in docs/documents.md. Nothing but standard input is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tailkeeper.doors.filter import serve
from tailkeeper.doors.world_cases import world_case
from tailkeeper.doors.zone_cases import zone_case


def answer(document: Any) -> dict[str, Any]:
    """Return the answer to a case of either form; raise ValueError for what is neither."""
    if isinstance(document, Mapping) and "zone" in document:
        return zone_case(document)
    if isinstance(document, Mapping) and "config" in document:
        return world_case(document)
    raise ValueError("a case is {zone, records, wanted} or {config, observed, now}")


if __name__ == "__main__":
    sys.exit(serve(answer))
