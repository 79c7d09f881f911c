"""Lengths of time as people write them: `30d`, `90s`, `1h30m`; and Go's, which has no days."""

from __future__ import annotations

import re


_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
}
_DAYS = {"d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([a-zµ]+)")


def go_duration(text: str) -> float:
    """Return the seconds of a Go duration such as `1h30m` or `1.5s`; raise ValueError else."""
    return _total(text, _SECONDS)


def parse_duration(text: str) -> int:
    """Return the whole seconds of a duration such as `30d` or `1h30m`; raise ValueError else."""
    return int(_total(text, _SECONDS | _DAYS))


def format_duration(seconds: int) -> str:
    """Return the shortest way to write whole seconds that `parse_duration` reads back."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _total(text: str, units: dict[str, float]) -> float:
    # findall skips what does not match, so what it found must be all there was.
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a length of time such as 90s, 5m or 1h30m")
    unknown = [unit for _, unit in parts if unit not in units]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a unit of time: use {', '.join(units)}")
    return float(sum(float(number) * units[unit] for number, unit in parts))
