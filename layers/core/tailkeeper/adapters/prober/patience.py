"""How long a probe waits, and when it is not worth waiting any more."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field


WHOLE = 10.0  # seconds of one probe, from when its work starts
STEP = 5.0  # seconds of one of its steps
ENOUGH = 8


@dataclass
class Patience:
    """What is left of one probe's time."""

    until: float = field(default_factory=lambda: asyncio.get_running_loop().time() + WHOLE)

    def step(self) -> asyncio.Timeout:
        """Return the time limit of one step."""
        return asyncio.timeout_at(min(asyncio.get_running_loop().time() + STEP, self.until))

    async def in_line(self, line: asyncio.Semaphore) -> None:
        """Wait for one's turn: that is not counted, nobody else is to blame for it."""
        began = asyncio.get_running_loop().time()
        await line.acquire()
        self.until += asyncio.get_running_loop().time() - began


@dataclass
class Silences:
    """Places that let us wait in vain, so that 500 names behind a dead one cost one time-out."""

    _waits: Counter[str] = field(default_factory=Counter)
    _heard: set[str] = field(default_factory=set)

    def gave_up(self, place: str) -> bool:
        """Whether a place has let so many wait, and answered nobody, that it is left alone."""
        return self._waits[place] >= ENOUGH and place not in self._heard

    def miss(self, place: str) -> None:
        """Count a wait in vain."""
        self._waits[place] += 1

    def hit(self, place: str) -> None:
        """Remember that the place answers."""
        self._heard.add(place)
