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
from tailkeeper.writers import config_map_writers


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
        took, worst = seconds(self.simulation.seconds), seconds(self.simulation.worst)
        return f"CronJob {self.name} ({self.schedule}): {took}, at worst {worst}"


def compare(objects: Objects, config: Config, event: float, known: float) -> Comparison | None:
    """Return the comparison with the CronJob that writes a resolver of ours, if there is one.

    `event` and `known` (the cluster names the new device) are epoch seconds of the world.
    """
    by_kind: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for thing in objects:
        by_kind[thing["kind"]].append(thing)
    for cron_job, corefile in _writers(by_kind, config):
        meta, spec = cron_job["metadata"], cron_job["spec"]
        try:
            simulation = simulate(cron_job, corefile, event, known)
        except CronError:
            continue
        name = f"{meta.get('namespace', 'default')}/{meta['name']}"
        never = tuple(_never(by_kind["Gateway"]))
        return Comparison(name, spec["schedule"], simulation, never)
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
    """Yield the CronJobs that write our resolvers' ConfigMaps, with the Corefile beside them."""
    for resolver in (r for cluster in config.clusters for r in cluster.resolvers):
        corefile = _corefile(by_kind.get("ConfigMap", []), resolver.namespace)
        for writer in config_map_writers(by_kind, resolver.namespace, resolver.config_map):
            for thing in by_kind.get("CronJob", []):
                meta = thing["metadata"]
                place = (meta.get("namespace", "default"), meta["name"])
                if writer.kind == "CronJob" and place == (writer.namespace, writer.name):
                    yield thing, corefile


def _corefile(config_maps: Objects, namespace: str) -> str:
    for thing in config_maps:
        if thing["metadata"].get("namespace") == namespace:
            for key, text in (thing.get("data") or {}).items():
                if "corefile" in key.lower():
                    return str(text)
    return ""


def _never(gateways: Objects) -> Iterator[str]:
    """Yield what stays wrong until a person mends it."""
    for gateway in gateways:
        for target in target_annotation(gateway):
            if target.endswith(".ts.net"):
                yield f"the public records: the Gateway's annotation says {target}"
    yield "split DNS, should the resolver's own address change: it is set by hand"
