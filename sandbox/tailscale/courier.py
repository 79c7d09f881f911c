"""Delivery of webhooks: at once, then hourly for a day until an answer is 2xx."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.clock import Clock

HOUR = 3600.0
SETTLE = 0.05
RETRIES = 24
# No answer time is documented; this is real time, since the receiver is.
TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(eq=False)
class Delivery:
    """One payload for one endpoint; a retry sends the same bytes under the same signature."""

    endpoint: str
    url: str
    body: str
    signature: str
    attempts: int = 0


@dataclass
class Courier:
    """Sends deliveries in the background; `settled` is called soon after some are over.

    What is pending when the stand-in stops is tried again as soon as it is back; after a crash,
    a delivery that was just made may be made again.
    """

    clock: Clock
    settled: Callable[[], None]
    pending: list[Delivery] = field(default_factory=list)
    _note: asyncio.TimerHandle | None = None
    _session: aiohttp.ClientSession | None = None
    _tasks: dict[Delivery, asyncio.Task[None]] = field(default_factory=dict)

    async def start(self) -> None:
        """Begin to deliver, first what has waited."""
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        for delivery in self.pending:
            self._launch(delivery, self._session)

    async def stop(self) -> None:
        """Stop delivering; what is not delivered stays pending."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()
        self._session = None
        if self._note:
            self._note.cancel()
            self._note = None

    def send(self, delivery: Delivery) -> None:
        """Queue a delivery."""
        self.pending.append(delivery)
        if self._session:
            self._launch(delivery, self._session)

    def cancel(self, endpoint: str) -> None:
        """Give up what is pending for an endpoint."""
        for delivery in [one for one in self.pending if one.endpoint == endpoint]:
            self.pending.remove(delivery)
            task = self._tasks.pop(delivery, None)
            if task:
                task.cancel()

    def resume(self, saved: list[dict[str, Any]]) -> None:
        """Take up what was pending when the state was saved; nothing once it runs."""
        if self._session is None:
            self.pending = [Delivery(**delivery) for delivery in saved]

    def dump(self) -> list[dict[str, Any]]:
        """Return what is pending, to be saved."""
        return [asdict(delivery) for delivery in self.pending]

    def _launch(self, delivery: Delivery, session: aiohttp.ClientSession) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(delivery, session))
        self._tasks[delivery] = task
        task.add_done_callback(lambda _: self._tasks.pop(delivery, None))

    async def _deliver(self, delivery: Delivery, session: aiohttp.ClientSession) -> None:
        while not await _accepted(delivery, session):
            delivery.attempts += 1
            if delivery.attempts > RETRIES:
                break
            await self.clock.sleep(HOUR)
        self.pending.remove(delivery)
        if self._note is None:
            self._note = asyncio.get_running_loop().call_later(SETTLE, self._settle)

    def _settle(self) -> None:
        self._note = None
        self.settled()


async def _accepted(delivery: Delivery, session: aiohttp.ClientSession) -> bool:
    headers = {
        "Content-Type": "application/json",
        "Tailscale-Webhook-Signature": delivery.signature,
    }
    try:
        async with session.post(
            delivery.url, data=delivery.body.encode(), headers=headers, allow_redirects=False
        ) as answer:
            return 200 <= answer.status < 300
    except (aiohttp.ClientError, TimeoutError):
        return False
