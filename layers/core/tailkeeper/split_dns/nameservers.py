"""Who a split-DNS domain asks: our resolvers, and whom somebody else put into its list.

Of the others, who may answer stays: one that is outside Tailscale's ranges, or a device that is
connected. An address that nobody in the tailnet holds answers nobody, and goes. Where none of a
list is or was ours, and we never wrote it, it is somebody's: held until `take_over`, which keeps
nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailkeeper.carriers.gateways import GatewayDevice
from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.split_dns.surface import Nameserver
from tailkeeper.world import carrier_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.world import World


def wanted_of(world: World) -> dict[str, list[Nameserver]]:
    """Return our resolvers as each domain should ask them."""
    wanted: dict[str, list[Nameserver]] = {}
    for cluster, config in resolvers_of(world.config):
        key = carrier_of(cluster, config)
        device = world.carriers[key]
        address = device.addresses[0] if isinstance(device, GatewayDevice) else ""
        nameserver = Nameserver(key, address, world.memory.answers(key))
        for domain in config.domains:
            wanted.setdefault(domain, []).append(nameserver)
    return wanted


def others_of(world: World) -> dict[str, tuple[str, ...]]:
    """Return, by domain, the nameservers of somebody else that may answer."""
    found = {}
    for domain, ours in wanted_of(world).items():
        if not is_taken_over(world, domain):
            _, theirs = _parted(world, domain, ours)
            found[domain] = tuple(sorted(a for a in theirs if _may_answer(world, a)))
    return found


def owned(world: World, domain: str) -> str:
    """Say who is asked for a domain of whose list nothing is or was ours, or ""."""
    mine, _ = _parted(world, domain, wanted_of(world).get(domain, ()))
    others = others_of(world).get(domain, ())
    return _named(world, others) if others and not mine else ""


def is_taken_over(world: World, domain: str) -> bool:
    """Say whether one of a domain's resolvers has the order to write over everybody."""
    resolvers = (config for _, config in resolvers_of(world.config))
    return any(config.take_over for config in resolvers if domain in config.domains)


def told(world: World) -> Iterator[str]:
    """Yield which nameservers of others stay beside ours."""
    for domain, others in others_of(world).items():
        if others and not owned(world, domain):
            yield f"{domain} is also asked of {_named(world, others)}, which is not ours and stays"


def _parted(
    world: World, domain: str, ours: Iterable[Nameserver]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who is asked for a domain now: what is or was ours, and the rest."""
    known = {address for own in ours for address in (own.address, *own.former)}
    standing = world.tailnet_document["split_dns"].get(domain) or ()
    mine = tuple(address for address in standing if address in known)
    return mine, tuple(address for address in standing if address not in known)


def _named(world: World, addresses: tuple[str, ...]) -> str:
    """Return nameservers with the names of their devices."""
    held = ((a, world.tailnet.holding(a)) for a in addresses)
    return ", ".join(
        f"{address} ({device.name})" if device else address for address, device in held
    )


def _may_answer(world: World, address: str) -> bool:
    if not is_tailnet_address(address) or not world.tailnet.complete:
        return True
    device = world.tailnet.holding(address)
    return bool(device and device.connected)
