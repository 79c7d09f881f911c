"""Somebody else's tailnet in place of ours: what the rest of the world knows of it.

A mirror only reads, and only when somebody asks for what it shows: the tailnet when its DNS or its
data path is used, or the cluster is read, whose objects follow the devices. Its requests name it in
`User-Agent`, so that whoever counts can leave them out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiohttp


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.cluster.ground import Device
    from sandbox.tailscale import Tailscale

log = logging.getLogger(__name__)
FRESH = 2.0  # seconds of this machine for which one reading is good
AGENT = {"User-Agent": "tailkeeper-sandbox-mirror"}
UNAUTHORIZED = 401
TROUBLE = (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError)


class TailnetMirror:
    """Keeps our tailnet's devices and split DNS like those of the API at `url`.

    To the operator it is the tailnet: nobody registers there through us, so a proxy's device is
    the connected one with its hostname and tags.
    """

    def __init__(self, ours: Tailscale, url: str, secret: Mapping[str, str]) -> None:
        self._ours = ours
        self._url = f"{url.rstrip('/').removesuffix('/api/v2')}/api/v2"
        self._secret = secret
        self._bearer = ""
        self._looked_at = 0.0
        self._turn = asyncio.Lock()

    @property
    def devices(self) -> Sequence[Device]:
        """The devices as they were when we last looked."""
        return self._ours.devices

    async def refresh(self) -> None:
        """Look unless that was done just now; on trouble the last reading stands."""
        async with self._turn:
            if time.monotonic() - self._looked_at < FRESH:
                return
            try:
                await self.look()
            except TROUBLE as error:
                log.warning("the tailnet could not be read: %s", error)
            self._looked_at = time.monotonic()

    async def look(self) -> None:
        """Read the tailnet, and tell what has changed."""
        async with aiohttp.ClientSession(raise_for_status=True, headers=AGENT) as http:
            devices = (await self._get(http, "devices?fields=all"))["devices"]
            split_dns = await self._get(http, "dns/split-dns")
        self._ours.dns.split_dns = {k: v for k, v in split_dns.items() if v}
        self._ours.magic_dns_domain = domain_of(devices) or self._ours.magic_dns_domain
        before = {device["nodeId"]: device for device in self._ours.devices}
        self._ours.machines.all[:] = devices
        for kind, device in events(before, {d["nodeId"]: d for d in devices}):
            self._ours.tell(kind, device)

    async def _token(self, http: aiohttp.ClientSession) -> str:
        if self._secret.get("api_key"):
            return self._secret["api_key"]
        form = {"client_id": self._secret["client_id"]}
        form |= {"client_secret": self._secret["client_secret"], "grant_type": "client_credentials"}
        async with http.post(f"{self._url}/oauth/token", data=form) as answer:
            return str((await answer.json())["access_token"])

    async def _get(self, http: aiohttp.ClientSession, path: str) -> Any:
        """Return an answer; a token is kept until it is not taken any more."""
        try:
            return await self._asked(http, path)
        except aiohttp.ClientResponseError as error:
            if error.status != UNAUTHORIZED:
                raise
        self._bearer = ""
        return await self._asked(http, path)

    async def _asked(self, http: aiohttp.ClientSession, path: str) -> Any:
        self._bearer = self._bearer or await self._token(http)
        headers = {"Authorization": f"Bearer {self._bearer}"}
        async with http.get(f"{self._url}/tailnet/-/{path}", headers=headers) as answer:
            return await answer.json()

    def register(self, hostname: str, *, tags: Sequence[str]) -> Device | None:
        """Return the connected device that is this proxy, None while there is none."""
        for device in reversed(self._ours.devices):
            same = device["hostname"] == hostname and set(tags) <= set(device.get("tags") or [])
            if same and device["connectedToControl"]:
                return device
        return None

    def connect(self, device_id: str) -> Device:
        """Return the device: only its owner connects it."""
        return self._ours.machines.find(device_id)

    def disconnect(self, device_id: str) -> Device:
        """Return the device: only its owner disconnects it."""
        return self._ours.machines.find(device_id)

    def remove(self, device_id: str) -> Device:
        """Return the device: only its owner removes it."""
        return self._ours.machines.find(device_id)

    def subscribe(self, callback: Callable[[str, Device], object]) -> None:
        """Call back with (kind, device) when a device has changed."""
        self._ours.subscribe(callback)


def domain_of(devices: Sequence[Device]) -> str:
    """Return the domain of most devices' names."""
    domains = Counter(d["name"].rstrip(".").partition(".")[2] for d in devices)
    return domains.most_common(1)[0][0] if domains else ""


def events(before: Mapping[str, Device], after: Mapping[str, Device]) -> list[tuple[str, Device]]:
    """Return what happened between two readings, in the order in which it must be told."""
    gone = [("removed", before[key]) for key in before if key not in after]
    changed = [
        (kind, after[key])
        for key in after
        if key in before
        for kind in _changes(before[key], after[key])
    ]
    return gone + changed + [("registered", after[key]) for key in after if key not in before]


def _changes(old: Device, new: Device) -> list[str]:
    found = []
    if old["connectedToControl"] != new["connectedToControl"]:
        found.append("connected" if new["connectedToControl"] else "disconnected")
    if old["name"] != new["name"]:
        found.append("renamed")
    if old["addresses"] != new["addresses"]:
        found.append("addressed")
    return found
