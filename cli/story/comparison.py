"""What the updater CronJob of the same manifests would have taken on the same event."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.cron import CronError
from cli.cronjob import Simulation, simulate
from cli.screen import seconds
from cli.tables import table
from tailkeeper.derive.gateways import target_annotation
from tailkeeper.resolver.writers import config_map_writers


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.table import Table

    from tailkeeper.config import Config

    Objects = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """A CronJob's simulated run, and what it would never have mended."""

    name: str
    schedule: str
    simulation: Simulation
    never: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say what came of it in one line."""
        found = self.simulation
        took, mean, worst = (seconds(value) for value in (found.seconds, found.mean, found.worst))
        spread = f"{took} on this event, {mean} on average, {worst} at worst"
        return f"CronJob {self.name} ({self.schedule}): {spread}"


def compare(objects: Objects, config: Config, event: float, known: float) -> Comparison | None:
    """Return the comparison with the CronJob that writes a resolver of ours, if there is one.

    `event` and `known` (the cluster names the new device) are epoch seconds of the world.
    """
    by_kind: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for thing in objects:
        by_kind[thing["kind"]].append(thing)
    for cron_job, corefile in _writers(by_kind, config):
        try:
            simulation = simulate(cron_job, corefile, event, known)
        except CronError:
            continue
        never = tuple(_never(by_kind["Gateway"]))
        return Comparison(_place(cron_job), cron_job["spec"]["schedule"], simulation, never)
    return None


def comparison_table(found: Comparison) -> Table:
    """Return the steps of the simulated run."""
    made = table("after, world's clock", "the CronJob, by its own settings", "takes", whole=1)
    for step in found.simulation.steps:
        span = f"{seconds(step.least)} to {seconds(step.most)}"
        made.add_row(seconds(step.over - found.simulation.event), step.name, span)
    for text in found.never:
        made.add_row("never", text, "")
    return made


def _writers(
    by_kind: Mapping[str, list[Mapping[str, Any]]], config: Config
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the CronJobs that write our resolvers' answers, with the Corefile that they are in."""
    for resolver in (r for cluster in config.clusters for r in cluster.resolvers):
        files = dict(_corefiles(by_kind.get("ConfigMap", []), resolver.namespace))
        for name in {resolver.config_map: "", **files}:
            for writer in config_map_writers(by_kind, resolver.namespace, name):
                for thing in by_kind.get("CronJob", []):
                    if str(writer) == f"CronJob {_place(thing)}":
                        yield thing, "".join(files.values())


def _place(thing: Mapping[str, Any]) -> str:
    return f"{thing['metadata'].get('namespace', 'default')}/{thing['metadata']['name']}"


def _corefiles(config_maps: Objects, namespace: str) -> Iterator[tuple[str, str]]:
    for thing in config_maps:
        if thing["metadata"].get("namespace") == namespace:
            for key, text in (thing.get("data") or {}).items():
                if "corefile" in key.lower():
                    yield thing["metadata"]["name"], str(text)


def _never(gateways: Objects) -> Iterator[str]:
    """Yield what stays wrong until a person mends it."""
    for gateway in gateways:
        for target in target_annotation(gateway):
            if target.endswith(".ts.net"):
                yield f"the public records: the Gateway's annotation says {target}"
    yield "split DNS, should the resolver's own address change: it is set by hand"
