"""What every Tailscale proxy stands on: the cluster's API, the tailnet, its wires, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.clock import Clock
    from sandbox.cluster.api import Api
    from sandbox.cluster.exposed import Exposed
    from sandbox.tailnet.datapath import Connect, DataPath

    Device = dict[str, Any]


class Tailnet(Protocol):
    """The control plane as proxies use it."""

    @property
    def devices(self) -> Sequence[Device]:
        """Devices in the wire format."""

    def register(self, hostname: str, *, tags: Sequence[str]) -> Device | None:
        """Let a new device join, connected; None when that is not for us to do yet."""

    def connect(self, device_id: str) -> Device:
        """Connect a device."""

    def disconnect(self, device_id: str) -> Device:
        """Cut a device off."""

    def remove(self, device_id: str) -> Device:
        """Delete a device."""

    def subscribe(self, callback: Callable[[str, Device], object]) -> None:
        """Call back with (kind, device) when a device changes."""


@dataclass(frozen=True)
class Ground:
    """The parts; `connect` leads to a port of what a proxy exposes."""

    api: Api
    tailnet: Tailnet
    path: DataPath
    clock: Clock
    connect: Callable[[Exposed, int], Connect]

    def device(self, node_id: str) -> Device | None:
        """Return the device, or None if the tailnet does not know it."""
        return next((d for d in self.tailnet.devices if d["nodeId"] == node_id), None)
