"""The machines of the tailnet, in the wire format, and the names they get."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal
from sandbox.tailscale.ids import assignable, fingerprint, twin
from sandbox.tailscale.times import stamp


if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from sandbox.tailscale.ids import Ids

Device = dict[str, Any]

DAY = 86_400
KEY_DAYS = 180
ONLY_WITH_ALL = frozenset(
    {
        "advertisedRoutes",
        "clientConnectivity",
        "distro",
        "enabledRoutes",
        "postureIdentity",
        "sshEnabled",
        "multipleConnections",
    }
)
CONNECTIVITY = {
    "endpoints": ["192.0.2.10:41641"],
    "mappingVariesByDestIP": False,
    "latency": {"Frankfurt": {"latencyMs": 12.5, "preferred": True}, "Paris": {"latencyMs": 21.0}},
    "clientSupports": {
        "hairPinning": None,
        "ipv6": True,
        "pcp": False,
        "pmp": False,
        "udp": True,
        "upnp": False,
    },
}


def label(hostname: str) -> str:
    """Return the DNS label that Tailscale makes of a hostname."""
    return re.sub(r"[^a-z0-9]+", "-", hostname.lower()).strip("-")[:63] or "device"


def free_label(hostname: str, taken: Container[str]) -> str:
    """Return the label of a hostname, with the first `-N` that makes it unique."""
    base, suffix = label(hostname), 0
    while (name := f"{base}-{suffix}" if suffix else base) in taken:
        suffix += 1
    return name


def view(device: Device, *, every_field: bool) -> Device:
    """Return the device as the API shows it with `fields=all` or `fields=default`."""
    return {k: v for k, v in device.items() if every_field or k not in ONLY_WITH_ALL}


def matches(device: Device, name: str, wanted: str) -> bool:
    """Say whether a field of the device is exactly a query's value, or a list that has it.

    Raises Refusal 400 for a field that holds an object.
    """
    if name not in device:
        return False
    value = device[name]
    if isinstance(value, dict):
        raise Refusal(400, f"filtering by {name!r} is not supported")
    members = value if isinstance(value, list) else [value]
    return wanted in [
        member if isinstance(member, str) else json.dumps(member) for member in members
    ]


@dataclass
class Devices:
    """The devices and the rules of their names and addresses."""

    ids: Ids
    all: list[Device] = field(default_factory=list)

    def find(self, device_id: str) -> Device:
        """Return the device with this nodeId or numeric id; raise Refusal 404 if there is none."""
        for device in self.all:
            if device_id in {device["nodeId"], device["id"]}:
                return device
        raise Refusal(404, "no manageable device matching this ID found")

    def labels(self, but: Device | None = None) -> set[str]:
        """Return the machine names in use, also by devices that are offline."""
        return {device["name"].partition(".")[0] for device in self.all if device is not but}

    def addresses(self) -> set[str]:
        """Return the addresses in use."""
        return {address for device in self.all for address in device["addresses"]}

    def add(self, given: Device, *, taken: Iterable[str], domain: str, now: float) -> Device:
        """Add a device, filling in what `given` leaves open, and return it."""
        device = self.completed(given, taken=taken, domain=domain, now=now)
        self.all.append(device)
        return device

    def completed(self, given: Device, *, taken: Iterable[str], domain: str, now: float) -> Device:
        """Return the whole wire format of a device of which only hostname or name must be known.

        `taken` are the labels that other things of the tailnet have. Raises KeyError if both are
        missing, ValueError on a name without a domain.
        """
        if "name" in given and "." not in given["name"]:
            raise ValueError(f"a device's name is its FQDN, not {given['name']!r}")
        device = self._fresh(given, now) | given
        if "name" not in device:
            busy = self.labels() | set(taken)
            device["name"] = f"{free_label(device['hostname'], busy)}.{domain}"
        if "addresses" not in device:
            address = self.ids.address(self.addresses())
            device["addresses"] = [address, twin(address)]
        if not device.get("tags"):
            device.pop("tags", None)
        if device["connectedToControl"]:
            device.pop("lastSeen", None)
        return device

    def _fresh(self, given: Device, now: float) -> Device:
        tagged = bool(given.get("tags"))
        node_id = given.get("nodeId") or self.ids.opaque("node", "n")
        return {
            "id": given.get("id") or self.ids.numeric("device"),
            "nodeId": node_id,
            "user": "tagged-devices" if tagged else "admin@example.com",
            "hostname": given.get("hostname") or given["name"].partition(".")[0],
            "clientVersion": "1.98.3-t0d5c6a9e1-g4b1f8ac02",
            "updateAvailable": False,
            "os": "linux",
            "created": stamp(now),
            "connectedToControl": True,
            "keyExpiryDisabled": tagged,
            "expires": stamp(now + KEY_DAYS * DAY),
            "authorized": True,
            "isExternal": False,
            "isEphemeral": False,
            "machineKey": f"mkey:{fingerprint(f'machine {node_id}')}",
            "nodeKey": f"nodekey:{fingerprint(f'node {node_id}')}",
            "blocksIncomingConnections": False,
            "tailnetLockKey": "",
            "tailnetLockError": "",
            "enabledRoutes": [],
            "advertisedRoutes": [],
            "clientConnectivity": CONNECTIVITY,
            "sshEnabled": False,
            "distro": {"name": "alpine", "version": "3.22", "codeName": ""},
        }

    def rename(self, device: Device, wanted: str, *, taken: Iterable[str], domain: str) -> None:
        """Give the device another name; an empty one is made from its hostname again.

        Raises Refusal 400 if the name is taken or is no DNS label.
        """
        busy = self.labels(but=device) | set(taken)
        name = wanted.removesuffix(f".{domain}").lower()
        if not name:
            name = free_label(device["hostname"], busy)
        if label(name) != name:
            raise Refusal(400, f"invalid device name {wanted!r}")
        if name in busy:
            raise Refusal(400, f"device name {name!r} is already in use")
        device["name"] = f"{name}.{domain}"

    def move(self, device: Device, address: str) -> None:
        """Give the device another IPv4 address; raise Refusal 400 if it cannot have it."""
        if not assignable(address):
            raise Refusal(400, f"invalid Tailscale IPv4 address {address!r}")
        if address in self.addresses() - set(device["addresses"]):
            raise Refusal(400, f"address {address} is already in use")
        device["addresses"] = [address, *device["addresses"][1:]]
