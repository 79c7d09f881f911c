"""Faults that a stand-in can be told to have."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from aiohttp import web


@dataclass
class Fault:
    """One fault, spent after `times` matching requests.

    `path` is exact or a glob whose `*` crosses slashes; an empty `method` or `path` matches all.
    `status` and `body` replace the answer and nothing is carried out; `cut` drops the connection
    before the request is carried out, or after (`true` means after); `truncate` keeps that many
    entries of each list in the answer.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 0
    body: Any = None
    delay_ms: float = 0
    cut: bool | Literal["before", "after", ""] = ""
    truncate: int | None = None

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError("times must be at least 1")

    def matches(self, method: str, path: str) -> bool:
        """Say whether this fault is meant for that request."""
        return self.method.upper() in {"", method} and (
            not self.path or fnmatchcase(path, self.path)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fault as the admin API shows it."""
        return asdict(self)


def truncated(response: web.Response, keep: int) -> web.Response:
    """Return the JSON answer with each of its lists cut to `keep` entries."""
    document = json.loads(response.body) if isinstance(response.body, bytes) else None
    if isinstance(document, list):
        document = document[:keep]
    elif isinstance(document, dict):
        document = {k: v[:keep] if isinstance(v, list) else v for k, v in document.items()}
    return web.json_response(document, status=response.status)
