"""Durations as Go writes them: `30s`, `1h15m`, `0.5s`."""

from __future__ import annotations

import re

from sandbox.coredns.errors import CorefileError


UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Return a duration in seconds; raise ValueError with Go's words."""
    sign = -1 if text.startswith("-") else 1
    unsigned = text.removeprefix("-").removeprefix("+")
    if unsigned == "0":
        return 0.0
    parts = PART.findall(unsigned)
    if not parts or "".join(number + unit for number, unit in parts) != unsigned:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * sum(float(number) * UNITS[unit] for number, unit in parts)


def duration(text: str) -> float:
    """Return a duration in seconds; raise CorefileError."""
    try:
        return seconds(text)
    except ValueError as error:
        raise CorefileError(str(error)) from error
