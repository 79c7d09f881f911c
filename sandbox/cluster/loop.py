"""A controller's work queue: one key, level-triggered."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.clock import Clock

log = logging.getLogger(__name__)


class Loop:
    """Does `work` once, `delay` of the world's seconds after it was poked; never twice at once."""

    def __init__(self, work: Callable[[], Awaitable[None]], clock: Clock, delay: float) -> None:
        self._work = work
        self._clock = clock
        self._delay = delay
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def poke(self) -> None:
        """Say that there is something to look at."""
        self._due.set()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._forever())

    async def stop(self) -> None:
        """Stop, in the middle of the work if need be."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _forever(self) -> None:
        while True:
            await self._due.wait()
            await self._clock.sleep(self._delay)
            self._due.clear()
            try:
                await self._work()
            except Exception:
                # a controller outlives what it cannot handle; the next change tries again
                log.exception("a controller failed")
