"""What is read seldom and used often: kept for five minutes, and read again for a stranger."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
FRESH = 300
AGAIN = 10  # seconds before what does not fit makes us read again: a flood of it costs nothing


@dataclass
class Fresh(Generic[T]):
    """A value with the way to read it."""

    read: Callable[[], T]
    now: Callable[[], float] = time.time
    _value: T | None = None
    _read_at: float = float("-inf")

    def get(self) -> T:
        """Return the value, at most five minutes old."""
        if self._value is None or self.now() - self._read_at > FRESH:
            return self._read()
        return self._value

    def read_again(self) -> bool:
        """Read anew, unless that was just done; return whether the value changed."""
        if self.now() - self._read_at < AGAIN:
            return False
        before = self._value
        return self._read() != before

    def _read(self) -> T:
        self._value, self._read_at = self.read(), self.now()
        return self._value
