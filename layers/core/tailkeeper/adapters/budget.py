"""Cloudflare's limit for API calls, shared by all runs: 1,200 in five minutes, or a pause.

budget / cloudflare     {filled, shut}

A bucket that holds BURST calls and gets PACE of them a second; both together stay below the limit
in any five minutes. `filled` is when it will be full again, `shut` until when Cloudflare asked us
to wait (epoch seconds). Rules: Cloudflare, "API rate limits", per user and all of its tokens.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.adapters.zone_errors import Throttled


if TYPE_CHECKING:
    from collections.abc import Callable

    from tailkeeper.adapters.table import Table

KEY = ("budget", "cloudflare")
BURST, PACE = 600, 2.0
RESERVE = 200  # calls that a sweep leaves to events


@dataclass(frozen=True)
class Budget:
    """The calls that are left; who may not touch the last ones has a `reserve`."""

    table: Table
    reserve: int = 0
    clock: Callable[[], float] = time.time

    def spend(self) -> None:
        """Take one call; raise Throttled, with the seconds until the next one, if none is left."""
        now = self.clock()
        room = (BURST - self.reserve - 1) / PACE
        if not any(self._taken(now, room) for _ in range(2)):  # others may come between two looks
            raise self._spent(now, room)

    def _taken(self, now: float, room: float) -> bool:
        """Take one call from a bucket that is not full, or from one that is; say whether."""
        some, full = "filled > :now AND filled <= :most", "filled <= :now"
        return self._updated("filled = filled + :cost", some, now, most=now + room) or (
            self._updated("filled = :now + :cost", f"(attribute_not_exists(filled) OR {full})", now)
        )

    def _updated(self, change: str, condition: str, now: float, **more: float) -> bool:
        values: dict[str, Any] = {"now": now, "cost": 1 / PACE, **more}
        unshut = "(attribute_not_exists(shut) OR shut <= :now)"
        try:
            self.table.update(*KEY, f"SET {change}", f"{condition} AND {unshut}", **values)
        except ConditionFailed:
            return False
        return True

    def close(self, seconds: float) -> None:
        """Let every run wait as long as Cloudflare asks for."""
        self.table.update(*KEY, "SET shut = :until", until=self.clock() + seconds)

    def _spent(self, now: float, room: float) -> Throttled:
        item = self.table.get(*KEY) or {}
        wait = max(item.get("filled", now) - room, item.get("shut", now)) - now
        seconds = max(wait, 1 / PACE)
        said = f"Cloudflare's calls of the last minutes are spent: the next one in {seconds:.0f} s"
        return Throttled(said, seconds)
