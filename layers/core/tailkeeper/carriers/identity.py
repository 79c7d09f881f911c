"""From evidence to the one device that may be published, or to a refusal with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailkeeper.carriers.tailnet import Device, Tailnet, address_faults, by_family


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tailkeeper.carriers.evidence import Evidence, Status
    from tailkeeper.config import DeviceName


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


def identify(
    evidence: Evidence,
    configured: DeviceName | None,
    tailnet: Tailnet,
    remembered: Sequence[str] = (),
) -> GatewayDevice | Refusal:
    """Return the one device that the evidence, or without a cluster the memory, points at."""
    if evidence.absent:
        return Refusal((f"the cluster has no {evidence.subject}",))
    if faults := _status_faults(evidence):
        return Refusal(faults)
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


def _status_faults(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"the status of {status.source}: {fault}"
        for status in evidence.statuses + evidence.copies
        for fault in address_faults(status.addresses)
    )


def _by_cluster(evidence: Evidence, tailnet: Tailnet) -> tuple[Device, str] | Refusal:
    """Follow the state Secret, else the status; refuse where another live device is named too."""
    named = {node_id: secret for secret, node_id in evidence.node_ids}
    if len(named) > 1:
        told = ", ".join(f"{node_id} (Secret {secret})" for node_id, secret in named.items())
        return Refusal((f"{evidence.subject} has two devices: {told}",))
    found = _by_secret(evidence, tailnet) if named else _by_status(evidence, tailnet)
    if isinstance(found, Refusal):
        return found
    if other := contradiction(evidence, found[0].node_id, tailnet):
        return Refusal((f"{evidence.subject} is carried by two: {found[0]}, and {other}",))
    return found


def _by_secret(evidence: Evidence, tailnet: Tailnet) -> tuple[Device, str] | Refusal:
    secret, node_id = evidence.node_ids[0]
    device = tailnet.device(node_id)
    if device is None:
        what = f"device {node_id}, named by Secret {secret},"
        return Refusal((_unknown(what, proven=tailnet.complete),))
    return device, f"named by state Secret {secret} of {evidence.subject}"


def _by_status(evidence: Evidence, tailnet: Tailnet) -> tuple[Device, str] | Refusal:
    # A Gateway copies its Service's status with a delay, so it is heard only in its absence.
    statuses = evidence.statuses or evidence.copies
    seen = status_devices(statuses, tailnet)
    if len(seen) > 1:
        return Refusal((f"{evidence.subject} is carried by two: {' and '.join(map(str, seen))}",))
    if seen:
        return seen[0], f"named by the status of {statuses[0].source}"
    if not statuses:
        return Refusal((f"the cluster names no device of {evidence.subject} yet",))
    addresses = [address for status in statuses for address in status.addresses]
    told = ", ".join(addresses or statuses[0].names)
    what = f"the device at {told}, of {evidence.subject},"
    return Refusal((_unknown(what, proven=tailnet.whole),))


def contradiction(evidence: Evidence, node_id: str, tailnet: Tailnet) -> str:
    """Say which other live device a status names, or "". A stale one contradicts nothing."""
    for status in evidence.statuses + evidence.copies:
        for device in status_devices((status,), tailnet):
            if device.connected and device.node_id != node_id:
                return f"by the status of {status.source}, {device}"
    return ""


def status_devices(statuses: Iterable[Status], tailnet: Tailnet) -> tuple[Device, ...]:
    """Return the devices that statuses point at; a name counts only where there is no address."""
    found = (
        device
        for status in statuses
        for device in (
            map(tailnet.holding, status.addresses)
            if status.addresses
            else map(tailnet.named, status.names)
        )
    )
    return tuple(dict.fromkeys(device for device in found if device))


def _unknown(what: str, *, proven: bool) -> str:
    return f"{what} is not " + ("in the tailnet" if proven else "among the devices read")


def _without_cluster(
    evidence: Evidence, configured: DeviceName | None, tailnet: Tailnet, remembered: Sequence[str]
) -> tuple[Device, str] | Refusal:
    """Return the remembered device while it is connected, else the only one that fits by name."""
    unread = f"{evidence.subject} was not read ({'; '.join(evidence.unread)})"
    # Only the newest: an older one that came back may be another machine's by now.
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
