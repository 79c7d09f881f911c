"""Moments as text."""

from __future__ import annotations

import time


def rfc3339(epoch: float) -> str:
    """Return epoch seconds as UTC in RFC 3339, with milliseconds."""
    seconds, milliseconds = divmod(int(epoch * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03}Z"
