"""Which device is a gateway's (design.md, section 4): the cluster decides, never a display name.

Every answer is a device that may be published, or a refusal and its reasons, upon which the last
good answer stays (`tailkeeper.identity`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tailkeeper.evidence import gateway_evidence, service_evidence
from tailkeeper.hostnames import within
from tailkeeper.identity import (
    GatewayDevice,
    Refusal,
    contradiction,
    identify,
    status_devices,
)


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tailkeeper.config import ClusterConfig, DeviceName, GatewayConfig, ResolverConfig
    from tailkeeper.evidence import Evidence
    from tailkeeper.tailnet import Device, Tailnet

__all__ = [
    "GatewayDevice",
    "Refusal",
    "ghosts",
    "identify_gateway",
    "identify_resolver",
    "settling",
    "target_means",
]


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
) -> Iterator[str]:
    named = [node_id for _, node_id in evidence.node_ids] or [
        device.node_id for device in status_devices(evidence.statuses or evidence.copies, tailnet)
    ]
    if configured:
        for device in tailnet.called(configured.hostname, configured.tag):
            if device.node_id in nodes and device.node_id not in named:
                yield f"{device} looks like {evidence.subject}'s, which does not name it yet"
    for node_id in named:
        known = tailnet.device(node_id)
        if known is None and tailnet.complete:
            yield f"{evidence.subject} names {node_id}, which is not in the tailnet"
        elif known and not known.connected:
            yield f"{evidence.subject} names {known}"
        elif other := contradiction(evidence, node_id, tailnet):
            yield f"{evidence.subject} names {node_id}, and {other}"
