"""Which device answers on which port, and what stands in the way.

Addresses of the tailnet and MagicDNS names lead to where the device lives on this machine. Names
of split-DNS domains lead nowhere: like tailscaled's proxies, the path does not know them.
"""

from __future__ import annotations

import asyncio
import errno
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol
from weakref import WeakSet


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]

CGNAT = ip_network("100.64.0.0/10")
ULA = ip_network("fd7a:115c:a1e0::/48")


class Tailnet(Protocol):
    """What the data path needs to know of the tailnet's control plane."""

    @property
    def devices(self) -> Sequence[Mapping[str, Any]]:
        """Devices in the wire format of Tailscale's API, `fields=all`."""

    @property
    def services(self) -> Sequence[Mapping[str, Any]]:
        """Tailscale Services in the wire format: names and addresses that devices host."""

    @property
    def magic_dns_domain(self) -> str:
        """The tailnet's own domain, such as `ainu-herring.ts.net`."""


def parsed(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `host` spells, or None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


class DataPath:
    """The wires of one tailnet.

    Failures are OSErrors with the errno that the kernel of a peer would give: EHOSTUNREACH for an
    unknown or offline device, ECONNREFUSED for a closed port, ENETUNREACH for anything that is
    neither in the tailnet nor on this machine (the sandbox never leaves it). `before` is awaited
    before the tailnet is looked at.
    """

    def __init__(
        self, tailnet: Tailnet, before: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._tailnet = tailnet
        self._before = before
        self._ports: dict[str, dict[int, Connect]] = defaultdict(dict)
        self._live: dict[str, WeakSet[asyncio.StreamWriter]] = defaultdict(WeakSet)

    def listen(self, node_id: str, port: int, connect: Connect) -> None:
        """Let the device, or the Tailscale Service (`svc:…`), answer TCP on `port`.

        `connect` opens a connection to what serves it.
        """
        self._ports[node_id][port] = connect

    def silence(self, node_id: str, *, but: Iterable[int] = ()) -> None:
        """Close the device's ports, except for some; what goes through them already goes on."""
        for port in set(self._ports[node_id]) - set(but):
            del self._ports[node_id][port]

    def cut(self, node_id: str) -> None:
        """Break the device's live connections, as when it goes offline."""
        for writer in self._live.pop(node_id, WeakSet()):
            writer.transport.abort()

    async def refresh(self) -> None:
        """Bring what is known of the tailnet up to date."""
        if self._before:
            await self._before()

    async def dial(self, host: str, port: int) -> Streams:
        """Open a TCP connection to a tailnet address, a MagicDNS name or this machine."""
        await self.refresh()
        device = self._device(host)
        if device is None:
            return await self._outside(host, port)
        reader, writer = await self._port(device, port)()
        self._live[device["nodeId"]].add(writer)
        return reader, writer

    def _port(self, device: Mapping[str, Any], port: int) -> Connect:
        if not device["connectedToControl"]:
            raise OSError(errno.EHOSTUNREACH, f"{device['name']} is offline")
        try:
            return self._ports[device["nodeId"]][port]
        except KeyError:
            raise OSError(errno.ECONNREFUSED, f"{device['name']} refuses port {port}") from None

    def _device(self, host: str) -> Mapping[str, Any] | None:
        """Return the device that `host` means, or None if it means nothing in the tailnet."""
        address = parsed(host)
        if address:
            if address not in CGNAT and address not in ULA:
                return None
            found = next((d for d in self._hosts() if str(address) in d["addresses"]), None)
        else:
            found = self._named(host.rstrip(".").lower())
            if not found and not self._is_magic(host):
                return None
        if found is None:
            raise OSError(errno.EHOSTUNREACH, f"no device of the tailnet is {host}")
        return found

    def _named(self, name: str) -> Mapping[str, Any] | None:
        full = name if "." in name else f"{name}.{self._tailnet.magic_dns_domain}"
        return next((d for d in self._hosts() if d["name"].rstrip(".") == full), None)

    def _hosts(self) -> Iterator[Mapping[str, Any]]:
        """Yield the devices, and the Tailscale Services as if they were devices."""
        yield from self._tailnet.devices
        for service in self._tailnet.services:
            label = service["name"].removeprefix("svc:")
            yield {
                "nodeId": service["name"],
                "name": f"{label}.{self._tailnet.magic_dns_domain}",
                "addresses": service["addrs"],
                "connectedToControl": True,
            }

    def _is_magic(self, host: str) -> bool:
        return host.rstrip(".").lower().endswith(f".{self._tailnet.magic_dns_domain}")

    async def _outside(self, host: str, port: int) -> Streams:
        address = parsed(host)
        if host == "localhost" or (address and address.is_loopback):
            return await asyncio.open_connection(host, port)
        raise OSError(errno.ENETUNREACH, f"{host} is not in the tailnet")
