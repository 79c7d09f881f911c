"""The cluster's Service network: what answers on a port of a Service."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.tailnet.datapath import Connect, Streams


class ServiceNetwork:
    """Services whose pods are real here are provided; the others lead to the stand-in backends."""

    def __init__(self, backend: Callable[[str], Awaitable[Streams]]) -> None:
        self._backend = backend
        self._provided: dict[tuple[str, str], dict[int, Connect]] = {}

    def provide(self, namespace: str, name: str, ports: dict[int, Connect]) -> None:
        """Let these ports, and no others, of the Service lead where the functions connect."""
        self._provided[namespace, name] = ports

    def withdraw(self, namespace: str, name: str) -> None:
        """Forget what was provided for the Service."""
        self._provided.pop((namespace, name), None)

    async def connect(self, namespace: str, name: str, port: int) -> Streams:
        """Open a connection to a port of a Service; raise ConnectionRefusedError if it is shut."""
        ports = self._provided.get((namespace, name))
        if ports is None:
            return await self._backend(f"{namespace}/{name}:{port}")
        if port not in ports:
            raise ConnectionRefusedError(f"{namespace}/{name} has no port {port}")
        return await ports[port]()
