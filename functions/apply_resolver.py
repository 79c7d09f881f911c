"""State Apply Resolver: one key of one ConfigMap, compare-and-set; a CronJob taken over first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import resolvers
from tailkeeper.adapters.cluster import Cluster, Unreachable
from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.writing import Report, Writing, Written
from tailkeeper.coexistence.ledger import SOMEBODY
from tailkeeper.config import Config
from tailkeeper.records import takeover
from tailkeeper.resolver import surface as documents
from tailkeeper.resolver import workloads
from tailkeeper.resolver.workloads import DOCUMENT_LINE


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailkeeper.config import ResolverConfig
    from tailkeeper.model import Change

logger = Logger(service="apply-resolver")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the report of the surface; raise Unreachable, Conflict or Refused."""
    writing, report = Writing(stack(), event), Report("resolver")
    places = writing.changes("resolver")
    access = stack().secret("KUBECONFIG_SECRET") if places else {}
    for config in Config.from_json(event["config"]).clusters:
        for resolver in config.resolvers:
            if changes := places.get(f"{config.name}/{resolver.place}"):
                ledger = Ledger(stack().table, f"{config.name}/{resolver.place}")
                place = Place(resolver, Cluster.connect(access[config.name]), ledger)
                writing.carry_out(changes, place.current(), place.write, report)
        if changes := places.get(takeover.place_of(config.name)):
            deployments = Deployments(Cluster.connect(access[config.name]))
            writing.carry_out(changes, deployments.current, deployments.write, report)
    logger.info("applied", extra=report.as_json())
    return report.as_json()


@dataclass
class Place:
    """One resolver's document, as it was just read; `write` is compare-and-set on that reading."""

    resolver: ResolverConfig
    cluster: Cluster
    ledger: Ledger
    text: str | None = None
    version: str = ""
    owner: str = SOMEBODY

    def current(self) -> Any:
        """Read the document and the CronJobs, and return what says a change's present value."""
        observed = resolvers.observe(self.resolver, self.cluster)
        if observed["why"]:
            raise Unreachable(observed["why"])
        self.text, self.version = observed["text"], observed["version"]
        self.owner = next((owner["manager"] for owner in observed["owners"]), SOMEBODY)
        return lambda change: documents.standing(self.resolver, observed, change)

    def write(self, changes: Sequence[Change]) -> Written:
        """Suspend who is taken over, write the document, restart who would not read it.

        Both are noted in the ledger before: a restart that a dead run owes is made up for.
        """
        for change in changes:
            if job := workloads.cron_job(self.resolver, change.key):
                resolvers.suspend(self.cluster, *job, change.after)
        restarts = [change for change in changes if workloads.restarted(change.key)]
        text = documents.applied(self.resolver, self.text, changes)
        notes = [(change.key, change.before, change.after) for change in restarts]
        if text != self.text:
            notes.append((DOCUMENT_LINE, self.text, text))
        # What we never wrote is not taken by force, unless we are told to.
        force = self.resolver.take_over or DOCUMENT_LINE in self.ledger.lines()
        with self.ledger.noted(notes, self.owner):
            if text != self.text:
                self.version = resolvers.write(
                    self.cluster, self.resolver, text, self.version, force=force
                )
            for change in restarts:
                resolvers.restart(self.cluster, self.resolver.namespace, change.key, change.after)
        return Written(self.version)


@dataclass(frozen=True)
class Deployments:
    """The ExternalDNS Deployments of a cluster whose zones are taken over."""

    cluster: Cluster

    def current(self, change: Change) -> Any:
        """Return how many replicas a Deployment is to have."""
        return resolvers.replicas(self.cluster, *takeover.deployment_of(change.key))

    def write(self, changes: Sequence[Change]) -> Written:
        """Scale them."""
        for change in changes:
            resolvers.scale(self.cluster, *takeover.deployment_of(change.key), change.after)
        return Written(f"{len(changes)} scaled")
