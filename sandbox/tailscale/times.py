"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone


# The documented webhook samples carry a local offset: a reader that expects Z must not pass here.
EVENT_ZONE = timezone(timedelta(hours=-4))


def stamp(epoch: float) -> str:
    """Return epoch seconds as the API writes them: `2022-12-01T05:23:30Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event_stamp(epoch: float) -> str:
    """Return epoch seconds as webhooks write them: `2022-09-21T13:37:51.658918-04:00`."""
    return datetime.fromtimestamp(epoch, EVENT_ZONE).isoformat(timespec="microseconds")


def seconds(written: str) -> float:
    """Return the epoch seconds of an RFC 3339 time; raise ValueError if it is none."""
    return datetime.fromisoformat(written).timestamp()
