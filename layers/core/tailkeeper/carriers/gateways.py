"""Which device is a gateway's (design.md, section 4): the cluster decides, never a display name.

Every answer is a device that may be published, or a refusal and its reasons, upon which the last
good answer stays (`tailkeeper.carriers.identity`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tailkeeper.carriers.identity import GatewayDevice, Refusal, contradiction, status_devices
from tailkeeper.hostnames import within


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tailkeeper.carriers.evidence import Evidence
    from tailkeeper.carriers.tailnet import Device, Tailnet
    from tailkeeper.config import DeviceName

__all__ = ["GatewayDevice", "Refusal", "ghosts", "target_means", "unsettled"]


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
    name is another Tailscale Service's, or that of another connected device. "unknown" is said
    where the read does not tell.
    """
    name = target.lower().removesuffix(".")
    if not tailnet.magic_dns:
        return "unknown" if name.endswith(".ts.net") else "literal"
    if not within(name, tailnet.magic_dns):
        return "literal"
    if device := tailnet.named(name):
        return "literal" if device.connected and device.node_id not in own else "own"
    return "own" if tailnet.complete else "unknown"


def unsettled(
    evidence: Evidence, asked: DeviceName | None, tailnet: Tailnet, nodes: Collection[str] = ()
) -> Iterator[str]:
    """Yield why it is worth observing again: the cluster has not caught up with a device.

    `asked` is what the device is to be called; `nodes` are the node ids of the events that caused
    the run.
    """
    named = [node_id for _, node_id in evidence.node_ids] or [
        device.node_id for device in status_devices(evidence.statuses or evidence.copies, tailnet)
    ]
    if asked:
        for device in tailnet.called(asked.hostname, asked.tag):
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
