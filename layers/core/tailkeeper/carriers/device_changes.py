"""What Tailscale tells nobody: carriers' devices that were renamed, moved, cut off or lost.

Two complete observations are compared: an earlier one, trimmed to a table, and the world of now. In
the table are only devices that carry a gateway or a resolver, did so once, or look like it: node id
to {name, addresses, tags, connected, key, missed}. `key` warns of the node key's end; `missed` is
since when the device is not listed (epoch seconds), which only a read a sweep later proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.gateways import GatewayDevice


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.carriers.tailnet import Device
    from tailkeeper.world import World

Table = dict[str, dict[str, Any]]

WARNED = 7 * 24 * 3600  # seconds before the end of a node key
KEPT = 200  # devices of a table


@dataclass(frozen=True, slots=True)
class Compared:
    """The table for the next comparison, and what happened since the last one, in words."""

    table: Table
    changes: Mapping[str, str]


def compare(known: Table, world: World, now: float, sweep_seconds: float) -> Compared | None:
    """Return what happened to the devices, by node id; None where this read proves nothing (F43).

    When nothing is known yet, nothing has happened.
    """
    if not world.tailnet.complete or not world.tailnet.devices:
        return None
    table = {device.node_id: _entry(device, now) for device in _watched(world, known)}
    told = {node: _what_happened(known.get(node), entry) for node, entry in table.items()}
    for node, entry in known.items():
        missed = entry.get("missed", now)
        if node.startswith("svc:") and not world.tailnet.whole:
            table.setdefault(node, entry)
        elif node not in table and now - missed < sweep_seconds:
            table[node] = {**entry, "missed": missed}
        elif node not in table:
            told[node] = "is not in the tailnet any more"
    named = {**table, **known}  # by the name that people know
    changes = {n: f"device {n} {named[n]['name']} {what}" for n, what in told.items() if what}
    return Compared(dict(list(table.items())[:KEPT]), changes if known else {})


def key_warnings(world: World, now: float) -> tuple[str, ...]:
    """Return which devices' node keys end within a week, or have ended, in words."""
    warned = ((device, _key(device, now)) for device in _watched(world, {}))
    return tuple(f"{device}: {words}" for device, words in warned if words)


def _watched(world: World, known: Mapping[str, Any]) -> Iterator[Device]:
    """Yield the devices that carriers have, had or look for, then what else is known and left."""
    ids: dict[str, None] = {}
    for key, carrier in world.carriers.items():
        if isinstance(carrier, GatewayDevice):
            ids[carrier.node_id] = None
        ids |= dict.fromkeys(world.memory.nodes(key))
    for cluster in world.config.clusters:
        names = [gateway.device for gateway in cluster.gateways]
        for name in (*names, *(resolver.device for resolver in cluster.resolvers)):
            if name:
                alike = world.tailnet.called(name.hostname, name.tag)
                ids |= dict.fromkeys(device.node_id for device in alike)
    yield from filter(None, map(world.tailnet.device, ids | dict.fromkeys(known)))


def _entry(device: Device, now: float) -> dict[str, Any]:
    return {
        "name": device.name.partition(".")[0],
        "addresses": list(device.addresses),
        "tags": sorted(device.tags),
        "connected": device.connected,
        "key": _key(device, now),
    }


def _key(device: Device, now: float) -> str:
    """Return the warning about a device's node key, or ""."""
    if not device.expires:
        return ""
    end = datetime.fromisoformat(device.expires).timestamp()
    if end - now > WARNED:
        return ""
    return f"its node key {'expired' if end <= now else 'expires'} {device.expires}"


def _what_happened(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    return ", ".join(_changes(before, after)) if before else "is seen for the first time"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["name"] != after["name"]:
        yield f"renamed to {after['name']}"
    if before["addresses"] != after["addresses"]:
        yield f"has now {' and '.join(after['addresses']) or 'no address'}"
    if before["connected"] != after["connected"]:
        yield "is connected again" if after["connected"] else "is offline"
    if lost := sorted(set(before["tags"]) - set(after["tags"])):
        yield f"lost {', '.join(lost)}"
    if after["key"] and after["key"] != before["key"]:
        yield after["key"]
