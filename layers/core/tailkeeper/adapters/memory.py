"""What one run leaves to the next: carriers' devices and answers, since when names are missing.

memory / carriers   {key: {nodes, answers}}
memory / missing    {place: {key: epoch seconds}}, compressed: a whole zone may be missing
memory / devices    what the last sweep saw of carriers (`tailkeeper.carriers.device_changes`)
memory / commits    {branch: {commit, at, sources, ahead}}
memory / pending    {branch: {host: {commit, repository, at}}}

What is too large for an item is an object of the artifact bucket, under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.ledgers import ledgers
from tailkeeper.adapters.packing import packed, unpacked
from tailkeeper.carriers.gateways import GatewayDevice
from tailkeeper.git.planning import FORESEEN
from tailkeeper.git.remembering import commits_after, pending_after
from tailkeeper.world import Memory


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.adapters.stack import Stack
    from tailkeeper.carriers.device_changes import Table
    from tailkeeper.model import Plan
    from tailkeeper.world import World

KEPT = 20  # node ids and answers of one carrier
ROOM = 300_000  # bytes of a document in an item; DynamoDB holds 400 KB


@dataclass(frozen=True)
class Memories:
    """The memory in a stack's table, and in its bucket."""

    stack: Stack

    def load(self, *, git: bool = False) -> Memory:
        """Return what earlier runs left, that of git when it is asked for."""
        missing = self._read("missing")
        return Memory(
            self._read("carriers"),
            {(place, key): at for place, keys in missing.items() for key, at in keys.items()},
            ledgers(self.stack.table),
            *(self._read(name) if git else {} for name in ("commits", "pending")),
        )

    def save(self, world: World, plan: Plan | None, now: float) -> None:
        """Remember the devices that were seen and the names that are missing, if either is new."""
        carriers = {**world.memory.carriers}
        for key, device in world.carriers.items():
            if isinstance(device, GatewayDevice):
                carriers[key] = _with(carriers.get(key, {}), device)
        missing = _missing(world, plan, now)
        if carriers != world.memory.carriers:
            self._write("carriers", carriers)
        if _flat(missing) != world.memory.missing_since:
            self._write("missing", missing)
        if (commits := commits_after(world)) != world.memory.commits:
            self._write("commits", commits)
        if (pending := pending_after(world, now)) != world.memory.pending:
            self._write("pending", pending)

    def commits(self) -> dict[str, Any]:
        """Return what is known of each branch's last commit."""
        return self._read("commits")

    def devices(self) -> Table:
        """Return what the last sweep saw of the carriers' devices."""
        return self._read("devices")

    def keep_devices(self, table: Table) -> None:
        """Remember what this sweep saw of them."""
        self._write("devices", table)

    def _read(self, name: str) -> dict[str, Any]:
        item = self.stack.table.get("memory", name) or {}
        text = item.get("document") or (self.stack.artifacts.find(_object(name)) if item else None)
        return unpacked(text) if text else {}

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        text = packed(document)
        inline = len(text) <= ROOM
        if not inline:
            self.stack.artifacts.store(_object(name), text)
        self.stack.table.put({"pk": "memory", "sk": name, "document": text if inline else ""})


def _object(name: str) -> str:
    """Return the key of the object that takes a document's place."""
    return f"memory/{name}.json"


def _missing(world: World, plan: Plan | None, now: float) -> dict[str, dict[str, float]]:
    """Return since when complete reads miss names, by place and name."""
    missing: dict[str, dict[str, float]] = {}
    for change in plan.changes if plan else ():
        foreseen = change.verdict and change.verdict.row == FORESEEN
        if change.action == "Delete" and change.surface != "split-dns" and not foreseen:
            # A delete that is refused rests on a partial read, which starts no clock.
            start = None if change.verdict and change.verdict.word == "refuse" else now
            since = world.memory.missing_since.get((change.place, change.key), start)
            if since is not None:
                missing.setdefault(change.place, {})[change.key] = since
    return missing


def _with(known: Mapping[str, Any], device: GatewayDevice) -> dict[str, list[str]]:
    answers = [device.name, *device.addresses]
    return {
        "nodes": _newest([device.node_id], known.get("nodes", ())),
        "answers": _newest(answers, known.get("answers", ())),
    }


def _newest(new: list[str], old: Any) -> list[str]:
    return list(dict.fromkeys([*new, *old]))[:KEPT]


def _flat(missing: Mapping[str, Mapping[str, float]]) -> dict[tuple[str, str], float]:
    return {(place, key): at for place, keys in missing.items() for key, at in keys.items()}
