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
        close(loop)


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop that has stopped, once what still ran in it has ended."""
    loop.run_until_complete(_ended())
    loop.close()


async def _ended() -> None:
    """End every task, and give transports that are closing the turns that they need for it."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)
