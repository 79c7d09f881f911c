"""The tailnet as its reader saw it: devices, and Tailscale Services, by id, name and address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Tailscale's CGNAT range and its IPv6 ULA prefix (tailscale.com/kb/1015).
TAILNET_RANGES = (ip_network("100.64.0.0/10"), ip_network("fd7a:115c:a1e0::/48"))


@dataclass(frozen=True, slots=True)
class Device:
    """A machine of the tailnet; `name` is its MagicDNS name, `hostname` what it calls itself.

    A Tailscale Service stands for the machines that host it: its id is its name, `svc:…`.
    `expires` is when its node key ends (RFC 3339), "" for never.
    """

    node_id: str
    name: str
    hostname: str
    addresses: tuple[str, ...]
    tags: frozenset[str]
    connected: bool
    external: bool = False
    expires: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Device:
        """Read a device of the tailnet reader's observation."""
        return cls(
            node_id=document["node_id"],
            name=_name(document["name"]),
            hostname=document["hostname"],
            addresses=tuple(document["addresses"]),
            tags=frozenset(document.get("tags") or ()),
            connected=bool(document["connected"]),
            external=bool(document.get("external")),
            expires=document.get("expires", ""),
        )

    @classmethod
    def of_service(cls, document: Mapping[str, Any], domain: str) -> Device:
        """Read a Tailscale Service of the tailnet reader's observation."""
        label = document["name"].removeprefix("svc:")
        return cls(
            node_id=document["name"],
            name=f"{label}.{domain}",
            hostname=label,
            addresses=tuple(document.get("addrs") or ()),
            tags=frozenset(document.get("tags") or ()),
            connected=True,
        )

    def __str__(self) -> str:
        state = "connected" if self.connected else "offline"
        return f"{self.name} ({self.node_id}, {state})"


class Tailnet:
    """One observation; `complete` says whether a device that is not here does not exist.

    `whole` says so of Tailscale Services, too: reading them takes a scope of its own.
    """

    def __init__(self, observation: Mapping[str, Any]) -> None:
        self.devices = tuple(map(Device.from_json, observation.get("devices") or ()))
        partial = observation.get("partial") or {}
        self.complete = "devices" not in partial
        self.whole = self.complete and "services" not in partial
        self.magic_dns = _name(observation.get("magic_dns") or "") or self._domain()
        self.services = tuple(
            Device.of_service(document, self.magic_dns)
            for document in observation.get("services") or ()
        )
        # Names and addresses are of one namespace; where a read contradicts itself, devices win.
        carriers = (*self.services, *self.devices)
        self._by_id = {carrier.node_id: carrier for carrier in carriers}
        self._by_name = {carrier.name: carrier for carrier in carriers}
        self._by_address = {a: carrier for carrier in carriers for a in carrier.addresses}

    def _domain(self) -> str:
        """Return the domain of our own devices' names: only shared-in ones have another."""
        names = (device.name.partition(".")[2] for device in self.devices if not device.external)
        return next(filter(None, names), "")

    def device(self, node_id: str) -> Device | None:
        """Return the device with this node id, or the Service of this name (`svc:…`)."""
        return self._by_id.get(node_id)

    def named(self, name: str) -> Device | None:
        """Return the device, or the Service, with this MagicDNS name."""
        return self._by_name.get(_name(name))

    def holding(self, address: str) -> Device | None:
        """Return the device, or the Service, with this address."""
        return self._by_address.get(address)

    def called(self, hostname: str, tag: str = "") -> tuple[Device, ...]:
        """Return our own devices that call themselves exactly this, and have the tag if given."""
        return tuple(
            device
            for device in self.devices
            if device.hostname == hostname
            and not device.external
            and (not tag or tag in device.tags)
        )


def is_tailnet_address(text: str) -> bool:
    """Return whether a text is an address in Tailscale's own ranges."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in TAILNET_RANGES)


def address_faults(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return what forbids answering with these addresses: none, a foreign one, two of a family."""
    listed = tuple(addresses)
    foreign = [f"{a} is not a tailnet address" for a in listed if not is_tailnet_address(a)]
    if foreign:
        return tuple(foreign)
    families = [ip_address(address).version for address in listed]
    doubled = sorted({version for version in families if families.count(version) > 1})
    return tuple(
        f"there are two IPv{version} addresses: {', '.join(listed)}" for version in doubled
    )


def by_family(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return addresses with IPv4 before IPv6."""
    return tuple(sorted(addresses, key=lambda text: ip_address(text).version))


def _name(name: str) -> str:
    return name.lower().removesuffix(".")
