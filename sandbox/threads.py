"""Stand-ins for synchronous code: an event loop in a thread beside the caller."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.standin import StandIn


@contextmanager
def running(*stand_ins: StandIn) -> Iterator[None]:
    """Start the stand-ins, let the block talk to them by HTTP, then stop them."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        for stand_in in stand_ins:
            asyncio.run_coroutine_threadsafe(stand_in.start(), loop).result(timeout=10)
        yield
    finally:
        for stand_in in stand_ins:
            asyncio.run_coroutine_threadsafe(stand_in.stop(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
