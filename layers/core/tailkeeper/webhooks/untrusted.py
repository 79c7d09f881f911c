"""JSON from outside: read strictly, asked by path, and never trusted to have the right shape.

Pure, and imported by every receiver, which must stay light. Whatever is not as it should be is a
ValueError: the receiver keeps such a body as poison.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from tailkeeper.moments import rfc3339


LONGEST_NAME = 100
COMMIT = re.compile(r"[0-9a-f]{7,64}")
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def read_json(body: bytes) -> Any:
    """Return the document; raise ValueError if it is not JSON in UTF-8 that has one meaning."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def canonical_id(document: object) -> str:
    """Return the SHA-256, in hex, of a document as canonical JSON.

    Where a sender gives no id that is signed, the event is its own: in whatever order its fields
    come, a repeated event is the same, and two events of one instant differ in what they say.
    """
    return hashlib.sha256(_canonical(document).encode()).hexdigest()


def at(document: Any, *path: str) -> Any:
    """Return what stands under the keys, None where there is nothing."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def text(document: Any, *path: str) -> str:
    """Return the text under the keys, "" when absent; raise ValueError if it cannot be stored."""
    value = at(document, *path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{'.'.join(path)} is not text")  # noqa: TRY004 -- one poison, one exception
    # A lone surrogate is valid JSON and no valid UTF-8: it would fail only at the bus.
    value.encode()
    return value


def word(document: Any, *path: str) -> str:
    """Return a text that must be there, without blanks; raise ValueError otherwise."""
    value = text(document, *path)
    if not value.isprintable() or value.split() != [value]:
        raise ValueError(f"{'.'.join(path)} is not one word")
    return value


def commit(document: Any, *path: str) -> str:
    """Return the hash of a commit; raise ValueError if it is none."""
    value = text(document, *path)
    if not COMMIT.fullmatch(value):
        raise ValueError(f"{'.'.join(path)} is not the hash of a commit")
    return value


def name(document: Any, *paths: tuple[str, ...]) -> str:
    """Return the first name under the paths, printable and not too long, to be shown only."""
    found = next(filter(None, (text(document, *path) for path in paths)), "")
    return "".join(filter(str.isprintable, found))[:LONGEST_NAME]


def moment(document: Any, *path: str) -> str:
    """Return a time as UTC in RFC 3339; "" where there is none that can be understood.

    Understood are epoch seconds, and ISO 8601 with an offset, `Z` or GitLab's ` UTC`.
    """
    value = at(document, *path)
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
            return rfc3339(when.timestamp()) if when.tzinfo else ""
        return rfc3339(value) if type(value) is int else ""
    except (ValueError, OverflowError, OSError):
        return ""
