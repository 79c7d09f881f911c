"""What exposures want of the surfaces, once their gateways' devices are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailkeeper.carriers.gateways import GatewayDevice, target_means
from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.records import surface as records
from tailkeeper.records.surface import Wanted


if TYPE_CHECKING:
    from tailkeeper.config import ClusterConfig, ZoneConfig
    from tailkeeper.model import Exposure
    from tailkeeper.world import World


def record_wanted(world: World, zone: ZoneConfig, exposure: Exposure) -> Wanted | None:
    """Return what a zone should answer for an exposure; no targets when its gateway is refused.

    None while the read does not tell what the Gateway's target annotation means.
    """
    key = f"{exposure.cluster}/{exposure.gateway}" if exposure.gateway else ""
    literal = _literal_targets(world, exposure, key)
    if literal is None:
        return None
    device = world.carriers.get(key)
    if literal:
        targets, key = literal, ""
    elif isinstance(device, GatewayDevice):
        address = (exposure.answer or zone.target) == "address"
        targets = device.addresses if address else (device.name,)
    else:
        targets = ()
    return Wanted(
        exposure.host,
        targets,
        exposure.source,
        kind_of(exposure),
        gateway=key,
        former=world.memory.answers(key) if key else frozenset(),
        ttl=exposure.ttl or (zone.ttl if zone.ttl != records.AUTOMATIC else None),
        proxied=zone.proxied if exposure.proxied is None else exposure.proxied,
        comment=exposure.comment,
        tags=exposure.tags,
    )


def _literal_targets(world: World, exposure: Exposure, key: str) -> tuple[str, ...] | None:
    """Return the targets that somebody wrote down and that do not mean the gateway's device."""
    targets = [target for target in (exposure.target or "").split(",") if target]
    if not key:
        return tuple(targets)
    own = set(world.memory.nodes(key))
    device = world.carriers.get(key)
    if isinstance(device, GatewayDevice):
        own.add(device.node_id)
    meant = [(target, target_means(target, own, world.tailnet)) for target in targets]
    if any(meaning == "unknown" for _, meaning in meant):
        return None
    return tuple(target for target, meaning in meant if meaning == "literal")


def kind_of(exposure: Exposure) -> str:
    """Return the kind of the object behind an exposure."""
    return exposure.source.partition("/")[0]


def tailnet_wanted(world: World, cluster: ClusterConfig, exposure: Exposure) -> Wanted | None:
    """Return what a resolver should answer; None for a target that the tailnet does not carry."""
    source = f"{cluster.name}/{kind_of(exposure)}"
    if not exposure.gateway:
        own = tuple(t for t in (exposure.target or "").split(",") if is_tailnet_address(t))
        return Wanted(exposure.host, own, exposure.source, source) if own else None
    key = f"{exposure.cluster}/{exposure.gateway}"
    device = world.carriers.get(key)
    targets = device.addresses if isinstance(device, GatewayDevice) else ()
    former = world.memory.answers(key)
    return Wanted(exposure.host, targets, exposure.source, source, gateway=key, former=former)
