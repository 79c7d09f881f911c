"""How many executions are interpreted at once: a queue for bursts that can never dead-lock.

Five hundred threads on one interpreter lock are slower than eight. An execution takes a place
when it starts and gives it back at its end, or for good when it first waits (Wait, a retry, a
nested execution, a task token). One started from inside another needs no place. And if nothing
moved for a while, because the running ones wait for the queued ones by a way that we cannot see,
the next is let in.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


PLACES = 8
PATIENCE_SECONDS = 3.0


class Admission:
    """Starts callables on threads of their own, `places` of them at a time."""

    def __init__(self, places: int = PLACES, patience: float = PATIENCE_SECONDS) -> None:
        self._places = places
        self._patience = patience
        self._lock = threading.Condition()
        self._inside: set[Hashable] = set()
        self._queue: deque[tuple[Hashable, Callable[[], None]]] = deque()
        self._moved = time.monotonic()
        self._watching = False

    def enter(self, who: Hashable, work: Callable[[], None], *, at_once: bool = False) -> None:
        """Run `work` on a thread of its own, now or when a place is free."""
        if at_once:
            self._run(who, work)
            return
        with self._lock:
            self._queue.append((who, work))
            self._admit()

    def leave(self, who: Hashable) -> None:
        """Give the place back; a second time does nothing."""
        with self._lock:
            if who in self._inside:
                self._inside.remove(who)
                self._moved = time.monotonic()
                self._admit()
                self._lock.notify_all()

    def _admit(self) -> None:
        while self._queue and len(self._inside) < self._places:
            self._let_in()
        if self._queue and not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="admission", daemon=True).start()

    def _let_in(self) -> None:
        who, work = self._queue.popleft()
        self._inside.add(who)
        self._moved = time.monotonic()
        self._run(who, work)

    def _watch(self) -> None:
        """Let one more in whenever nothing moved for as long as our patience lasts."""
        with self._lock:
            while self._queue:
                idle = time.monotonic() - self._moved
                if idle >= self._patience:
                    self._let_in()
                self._lock.wait(max(0.01, self._patience - idle))
            self._watching = False

    def _run(self, who: Hashable, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self.leave(who)

        threading.Thread(target=run, name=f"execution {who}", daemon=True).start()


executions = Admission()
