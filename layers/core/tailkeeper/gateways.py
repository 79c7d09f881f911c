"""Which device is a gateway's (design.md, section 4): the cluster decides, never a display name.

`identify` answers with a device that may be published, or with a refusal and its reasons, upon
which the last good answer stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tailkeeper.evidence import gateway_evidence, service_evidence
from tailkeeper.hostnames import within
from tailkeeper.tailnet import Device, Tailnet, address_faults, by_family


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tailkeeper.config import ClusterConfig, DeviceName, GatewayConfig, ResolverConfig
    from tailkeeper.evidence import Evidence


@dataclass(frozen=True, slots=True)
class GatewayDevice:
    """The connected device that carries a gateway, and who says so; IPv4 comes first."""

    node_id: str
    name: str
    addresses: tuple[str, ...]
    why: str
    connected: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """No device may be published now; what is published stays."""

    reasons: tuple[str, ...]


def identify_gateway(
    gateway: GatewayConfig,
    cluster: Mapping[str, Any],
    tailnet: Tailnet,
    remembered: Sequence[str] = (),
) -> GatewayDevice | Refusal:
    """Return the device of a configured Gateway.

    `cluster` is the cluster reader's observation; `remembered` are the node ids that were this
    gateway's, the newest first.
    """
    evidence = gateway_evidence(cluster, gateway.namespace, gateway.name)
    return identify(evidence, gateway.device, tailnet, remembered)


def identify_resolver(
    resolver: ResolverConfig,
    cluster: Mapping[str, Any],
    tailnet: Tailnet,
    remembered: Sequence[str] = (),
) -> GatewayDevice | Refusal:
    """Return the device of a resolver's Service, by the same rules."""
    evidence = service_evidence(cluster, resolver.namespace, resolver.service)
    return identify(evidence, resolver.device, tailnet, remembered)


def identify(
    evidence: Evidence,
    configured: DeviceName | None,
    tailnet: Tailnet,
    remembered: Sequence[str] = (),
) -> GatewayDevice | Refusal:
    """Return the one device that the evidence, or without a cluster the memory, points at."""
    if evidence.absent:
        return Refusal((f"the cluster has no {evidence.subject}",))
    if faults := address_faults(evidence.addresses):
        return Refusal(tuple(f"{evidence.subject}: {fault}" for fault in faults))
    if evidence.silent and evidence.unread:
        found = _without_cluster(evidence, configured, tailnet, remembered)
    else:
        found = _by_cluster(evidence, tailnet)
    return found if isinstance(found, Refusal) else _publishable(*found)


def _publishable(device: Device, why: str) -> GatewayDevice | Refusal:
    if not device.connected:
        return Refusal((f"{device}, {why}, is offline",))
    if faults := address_faults(device.addresses):
        return Refusal(tuple(f"{device}: {fault}" for fault in faults))
    if not device.addresses:
        return Refusal((f"{device} has no address",))
    return GatewayDevice(device.node_id, device.name, by_family(device.addresses), why)


def _by_cluster(evidence: Evidence, tailnet: Tailnet) -> tuple[Device, str] | Refusal:
    """Follow the state Secret; a status that names another live device contradicts it."""
    seen = status_devices(evidence, tailnet)
    named = {node_id: secret for secret, node_id in evidence.node_ids}
    if len(named) > 1:
        told = ", ".join(f"{node_id} (Secret {secret})" for node_id, secret in named.items())
        return Refusal((f"{evidence.subject} has two devices: {told}",))
    if not named:
        return _by_status(evidence, seen, tailnet)
    ((node_id, secret),) = named.items()
    device = tailnet.device(node_id)
    if device is None:
        return Refusal((_unknown(f"device {node_id}, named by Secret {secret},", tailnet),))
    if others := [other for other in seen if other.connected and other != device]:
        told = f"Secret {secret} names {device}, its status names {others[0]}"
        return Refusal((f"{evidence.subject} is carried by two: {told}",))
    return device, f"named by state Secret {secret} of {evidence.subject}"


def _by_status(
    evidence: Evidence, seen: tuple[Device, ...], tailnet: Tailnet
) -> tuple[Device, str] | Refusal:
    if len(seen) > 1:
        told = " and ".join(map(str, seen))
        return Refusal((f"the status of {evidence.subject} names {told}",))
    if seen:
        return seen[0], f"named by the status of {evidence.subject}"
    told = ", ".join(evidence.addresses or evidence.names)
    if not told:
        return Refusal((f"the cluster names no device of {evidence.subject} yet",))
    services = (tailnet.service_holding(address) for address in evidence.addresses)
    if service := next(filter(None, services), None):
        return Refusal((f"{evidence.subject} is carried by {service}, which is no device",))
    return Refusal((_unknown(f"the device at {told}, of {evidence.subject},", tailnet),))


def status_devices(evidence: Evidence, tailnet: Tailnet) -> tuple[Device, ...]:
    """Return the devices that statuses point at; names count only where there is no address."""
    if evidence.addresses:
        found = (tailnet.holding(address) for address in evidence.addresses)
    else:
        found = (tailnet.named(name) for name in evidence.names)
    return tuple(dict.fromkeys(device for device in found if device))


def _unknown(what: str, tailnet: Tailnet) -> str:
    return f"{what} is not " + ("in the tailnet" if tailnet.complete else "among the devices read")


def _without_cluster(
    evidence: Evidence, configured: DeviceName | None, tailnet: Tailnet, remembered: Sequence[str]
) -> tuple[Device, str] | Refusal:
    """Return the remembered device while it is connected, else the only one that fits by name."""
    unread = f"{evidence.subject} was not read ({'; '.join(evidence.unread)})"
    last = tailnet.device(remembered[0]) if remembered else None
    if last and last.connected:
        return last, f"remembered: {unread}"
    if configured is None:
        return Refusal((f"{unread}, and its device's hostname is not configured",))
    if not tailnet.complete:
        return Refusal((f"{unread}, and neither were all devices",))
    fitting = [d for d in tailnet.called(configured.hostname, configured.tag) if d.connected]
    if len(fitting) == 1:
        return fitting[0], f"the only device called {configured.hostname}: {unread}"
    told = ", ".join(map(str, fitting)) or "none"
    return Refusal((f"{unread}, and connected devices called {configured.hostname}: {told}",))


def ghosts(
    configured: DeviceName | None, own: GatewayDevice | Refusal, tailnet: Tailnet
) -> tuple[Device, ...]:
    """Return the offline twins: our devices with the gateway's hostname and tag that are not it."""
    if configured is None or isinstance(own, Refusal):
        return ()
    twins = tailnet.called(configured.hostname, configured.tag)
    return tuple(d for d in twins if not d.connected and d.node_id != own.node_id)


def target_means(
    target: str, own: Collection[str], tailnet: Tailnet
) -> Literal["own", "literal", "unknown"]:
    """Say whether a Gateway's target annotation means its own device, whatever that is now.

    `own` are the node ids that are or were the Gateway's. A MagicDNS name means it, unless the
    name is a Tailscale Service's, or that of another connected device. "unknown" is said where
    the read does not tell.
    """
    name = target.lower().removesuffix(".")
    if not tailnet.magic_dns:
        return "unknown" if name.endswith(".ts.net") else "literal"
    if not within(name, tailnet.magic_dns) or tailnet.service_named(name):
        return "literal"
    if device := tailnet.named(name):
        return "literal" if device.connected and device.node_id not in own else "own"
    return "own" if tailnet.complete else "unknown"


def settling(
    config: ClusterConfig,
    cluster: Mapping[str, Any],
    tailnet: Tailnet,
    event_nodes: Collection[str] = (),
) -> tuple[str, ...]:
    """Return why it is worth observing again: the cluster has not caught up with its devices.

    `event_nodes` are the node ids of the events that caused the run.
    """
    subjects = [
        (gateway_evidence(cluster, g.namespace, g.name), g.device) for g in config.gateways
    ] + [(service_evidence(cluster, r.namespace, r.service), r.device) for r in config.resolvers]
    return tuple(
        reason
        for evidence, device in subjects
        if not evidence.unread
        for reason in _unsettled(evidence, device, tailnet, event_nodes)
    )


def _unsettled(
    evidence: Evidence, configured: DeviceName | None, tailnet: Tailnet, nodes: Collection[str]
) -> Iterable[str]:
    named = [node_id for _, node_id in evidence.node_ids] or [
        device.node_id for device in status_devices(evidence, tailnet)
    ]
    if configured:
        for device in tailnet.called(configured.hostname, configured.tag):
            if device.node_id in nodes and device.node_id not in named:
                yield f"{device} looks like {evidence.subject}'s, which does not name it yet"
    for node_id in named:
        known = tailnet.device(node_id)
        if known is None and tailnet.complete:
            yield f"{evidence.subject} names {node_id}, which is not in the tailnet"
        if known and not known.connected:
            yield f"{evidence.subject} names {known}"
