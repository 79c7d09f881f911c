"""A function that needs what only a layer brings."""

from __future__ import annotations

from typing import Any

import httpx


def handler(event: dict[str, Any], _: Any) -> str:
    """Return the host of a URL."""
    return str(httpx.URL(event["url"]).host)
