"""The gateway's proxy made anew: a second device beside the first, which is offline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from cli.problems import Problem


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cli.story.questions import Expected

    Device = Mapping[str, Any]


@dataclass(frozen=True)
class Move:
    """The device that was, the one that is, and when it came (epoch seconds)."""

    old: Device
    new: Device
    at: float

    def carried(self, expected: Expected) -> bool:
        """Say whether the old device carried a host."""
        return expected.led_to(self.old)


def carrier(admin_url: str, expected: Iterable[Expected]) -> Device:
    """Return the device that carries the most hosts; raise Problem when there is none."""
    hosts = list(expected)
    devices = httpx.get(f"{admin_url}/state").json()["devices"]
    found = max(
        devices,
        key=lambda device: sum(expected.led_to(device) for expected in hosts),
        default=None,
    )
    if not found or not any(expected.led_to(found) for expected in hosts):
        raise Problem("no device of the tailnet carries any of the names, so none can move")
    chosen: Device = found
    return chosen


def recreate(admin_url: str, old: Device) -> Move:
    """Let a machine with the device's hostname and tags join, and cut the device off."""
    machine = {"hostname": old["hostname"], "tags": list(old["tags"])}
    at = time.time()
    with httpx.Client(base_url=admin_url) as admin:
        new = admin.post("/devices", json=machine).raise_for_status().json()
        admin.post(f"/devices/{old['nodeId']}/disconnect").raise_for_status()
    return Move(old, new, at)
