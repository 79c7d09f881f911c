"""What PutEvents accepts, and the event that an entry becomes.

By the API reference of PutEvents and the user guide, "Calculating event entry size".
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any


MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 256 * 1024


def refusal(entries: list[dict[str, Any]]) -> str:
    """Return why the whole request is refused, or nothing."""
    if len(entries) > MAX_ENTRIES:
        return (
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_ENTRIES}"
        )
    if sum(map(entry_size, entries)) > MAX_REQUEST_BYTES:
        return "Total size of the entries in the request is over the limit."
    return ""


def entry_size(entry: dict[str, Any]) -> int:
    """Return an entry's size in bytes as AWS counts it: a time is 14."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    total = sum(len(str(text).encode()) for text in [*texts, *entry.get("Resources", [])])
    return total + (14 if entry.get("Time") else 0)


def problem(entry: dict[str, Any]) -> tuple[str, str] | None:
    """Return the code and the message that refuse one entry, or None."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return (
                "InvalidArgument",
                f"Parameter {name} is not valid. Reason: {name} is a required argument.",
            )
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        is_object = isinstance(json.loads(entry["Detail"]), dict)
    except ValueError:
        is_object = False
    return None if is_object else ("MalformedDetail", "Detail is malformed.")


def event_of(entry: dict[str, Any], account: str, region: str) -> dict[str, Any]:
    """Return the event that rules see, for an entry without a problem."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "time": _time(entry.get("Time")),
        "region": region,
        "resources": entry.get("Resources", []),
        "detail": json.loads(entry["Detail"]),
    }


def _time(given: float | str | None) -> str:
    if isinstance(given, str):
        return given
    moment = datetime.fromtimestamp(given, UTC) if given else datetime.now(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
