"""Ephemeral nodes that stay away are removed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.clock import Clock

# Documented as 30 to 60 minutes after the last activity.
IDLE_SECONDS = 45 * 60.0


@dataclass
class Idle:
    """Calls `remove` with each watched nodeId after its idle time on the world's clock.

    After a restart the whole time begins again.
    """

    clock: Clock
    remove: Callable[[str], object]
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _running: bool = False

    def start(self) -> None:
        """Begin to watch."""
        self._running = True

    async def stop(self) -> None:
        """Stop watching."""
        self._running = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    def watch_only(self, away: Iterable[str]) -> None:
        """Let the idle time of these nodes begin, or run on; stop it for all others."""
        wanted = set(away) if self._running else set()
        for node_id in self._tasks.keys() - wanted:
            self._tasks.pop(node_id).cancel()
        for node_id in wanted - self._tasks.keys():
            self._tasks[node_id] = asyncio.get_running_loop().create_task(self._wait(node_id))

    async def _wait(self, node_id: str) -> None:
        await self.clock.sleep(IDLE_SECONDS)
        del self._tasks[node_id]
        self.remove(node_id)
