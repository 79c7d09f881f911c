"""The data plane as its several users share it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.cluster.frontends import Frontend
    from sandbox.tailnet.datapath import Streams


class DataPlane(Protocol):
    """Envoy, or what takes its place."""

    async def program(self, frontends: Sequence[Frontend]) -> None:
        """Serve exactly these frontends, and return once they are served."""

    def port(self, key: str) -> int:
        """Return the loopback port of a frontend; raise KeyError while it has none."""


class SharedPlane:
    """Lets each owner say what it wants served, without regard to the others."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._wanted: dict[str, tuple[Frontend, ...]] = {}
        self._turn = asyncio.Lock()

    async def serve(self, owner: str, frontends: Sequence[Frontend]) -> None:
        """Serve these frontends for this owner instead of those it had."""
        async with self._turn:
            if self._wanted.get(owner, ()) != tuple(frontends):
                self._wanted[owner] = tuple(frontends)
                await self._plane.program([f for wanted in self._wanted.values() for f in wanted])

    async def connect(self, key: str) -> Streams:
        """Open a connection to a frontend; raise ConnectionRefusedError while it has no port."""
        try:
            port = self._plane.port(key)
        except KeyError:
            raise ConnectionRefusedError(f"nothing serves {key}") from None
        return await asyncio.open_connection("127.0.0.1", port)
