"""When each view answers again: the same requests, over and over, beside the run."""

from __future__ import annotations

import asyncio
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from cli.story.questions import ask_all
from sandbox.client import Client


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cli.story.questions import Expected

PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 1.0


class Watch:
    """Asks in a thread, by `with`; `since` says when a way began to answer for good.

    What the answers will be is not known beforehand: any answer from inside the tailnet counts
    here, and whether it is the planned one is asked at the end.
    """

    def __init__(self, connection: Mapping[str, Any], expected: Sequence[Expected]) -> None:
        self.since: dict[tuple[str, str], float] = {}
        self._connection = connection
        self._expected = expected
        self._over = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._ask()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def settle(self, patience: float) -> None:
        """Wait until every way answers, but not longer than `patience` seconds."""
        ways = {way for one in self._expected for way in one.asked() if way[0] == "tailnet"}
        deadline = time.monotonic() + patience
        while not ways <= self.since.keys() and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)

    async def _ask(self) -> None:
        client = Client(self._connection, patience=PATIENCE_SECONDS)
        while not self._over.is_set():
            began = time.time()
            asked = await ask_all(client, self._expected)
            inside = [one for one in asked if one.answer.view == "tailnet"]
            for way in {one.way for one in inside}:
                if all(one.answer.ok for one in inside if one.way == way):
                    self.since.setdefault(way, began)
                else:
                    self.since.pop(way, None)
            await asyncio.sleep(PAUSE_SECONDS)
