"""Moments as text."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def epoch(moment: str) -> float:
    """Return a moment of RFC 3339 as epoch seconds; 0 for what is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return 0
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def rfc3339(epoch: float) -> str:
    """Return epoch seconds as UTC in RFC 3339, with milliseconds."""
    seconds, milliseconds = divmod(int(epoch * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03}Z"
