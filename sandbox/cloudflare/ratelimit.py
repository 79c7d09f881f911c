"""Cloudflare's limit for API clients: 1,200 requests in five minutes for each token."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


REQUESTS, SECONDS = 1200, 300


@dataclass(frozen=True)
class Standing:
    """Where a token stands: what is left of its window, and the seconds until the next."""

    left: int
    resets_in: int
    limit: int

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.left < 0

    def headers(self) -> dict[str, str]:
        """Return the headers that every answer carries, and `retry-after` when it is a 429."""
        headers = {
            "Ratelimit": f'"default";r={max(self.left, 0)};t={self.resets_in}',
            "Ratelimit-Policy": f'"default";q={self.limit};w={SECONDS}',
        }
        return headers | ({"retry-after": str(self.resets_in)} if self.exceeded else {})


@dataclass
class Limiter:
    """Counts requests by token in windows that start with the first request."""

    limit: int = REQUESTS
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def count(self, token_id: str, now: float) -> Standing:
        """Count one request at `now` (epoch seconds) and say where the token stands."""
        began, used = self._windows.get(token_id, (now, 0))
        if now - began >= SECONDS:
            began, used = now, 0
        self._windows[token_id] = (began, used + 1)
        return Standing(self.limit - used - 1, math.ceil(began + SECONDS - now), self.limit)
