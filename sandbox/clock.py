"""The world's clock: documented delays, divided by `--speed`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Runs `speed` times as fast as the machine's; our computing is counted at the same rate."""

    speed: float = 1.0
    started: float = field(default_factory=time.time)

    def now(self) -> float:
        """Return the world's time in epoch seconds."""
        return self.started + (time.time() - self.started) * self.speed

    def real(self, seconds: float) -> float:
        """Return how long a world's delay lasts on this machine, in seconds."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for a world's delay."""
        await asyncio.sleep(self.real(seconds))
