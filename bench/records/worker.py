"""Ours in a warm process: one JSON line says what to do, one says what it cost.

{"do": "know"}                   list the zone and remember what is ours
{"do": "sync", "wanted": FILE, "event": bool}
                                 list the zone, or remember it; plan, guard, write
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.packing import packed, unpacked
from tailkeeper.adapters.zone_place import Place
from tailkeeper.adapters.zones import Zone, Zones, connect
from tailkeeper.applying import sort_out
from tailkeeper.config import ZoneConfig
from tailkeeper.guard import Facts, judge
from tailkeeper.records.remembered import kept_of
from tailkeeper.records.surface import Wanted, held_by_name, plan_zone


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.model import Change

KIND, GATEWAY = "httproute", "homelab/tailscale/gateway"
LONG_AGO = 1.0  # every name that is missing has been so for long


class Worker:
    """A zone and how it is written, between two runs."""

    def __init__(self, url: str, token: str, zone: str, owner: str) -> None:
        self.config = ZoneConfig(zone, owner)
        self.zones = Zones(connect(url, token))
        self.zone: Zone = self.zones.find_zone(zone)
        self.memory = ""

    def know(self) -> None:
        """Remember what is ours in the zone."""
        self.zone = self.zones.find_zone(self.config.name)
        records = self.zones.list_records(self.zone.id).records
        held = held_by_name(self.config, records)
        self.memory = packed({"records": kept_of(self.config, records, held, ())})

    def sync(self, wanted: str, *, event: bool) -> None:
        """Bring the zone from what it holds to what a file wants."""
        claims = {host: _wanted(host, **claim) for host, claim in _read(wanted).items()}
        held = held_by_name(self.config, self._records(event=event))
        changes = plan_zone(self.config, held, claims)
        if not changes:
            return
        facts = Facts(
            now=time.time(),
            names={self.config.name: sum(bool(names.ours) for names in held.values())},
            sources=Counter({(self.config.name, KIND): len(claims)}),
            missing_since={(self.config.name, change.key): LONG_AGO for change in changes},
        )
        self._write([c for c in judge(changes, facts) if c.verdict and c.verdict.word == "apply"])

    def _records(self, *, event: bool) -> Iterable[dict[str, Any]]:
        if event:
            records: list[dict[str, Any]] = unpacked(self.memory)["records"]
            return records
        return self.zones.list_records(self.zone.id).records

    def _write(self, changes: list[Change]) -> None:
        if changes:
            place = Place(self.config, self.zones, self.zone, lambda: None)
            place.read([change.key for change in changes])
            place.write(sort_out(changes, place.current).todo)


def _read(path: str) -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = json.loads(Path(path).read_bytes())
    return document


def _wanted(host: str, target: str, resource: str, former: list[str]) -> Wanted:
    return Wanted(host, (target,), resource, KIND, gateway=GATEWAY, former=frozenset(former))


def cpu() -> float:
    """Return the CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Answer lines until there are none."""
    worker = Worker(*sys.argv[1:])
    print(json.dumps({"cpu": cpu()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        spent, began = cpu(), time.perf_counter()
        getattr(worker, order.pop("do"))(**order)
        print(json.dumps({"cpu": cpu() - spent, "wall": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
