"""State Apply Resolver: one key of one ConfigMap, compare-and-set; a CronJob taken over first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper import resolver as documents
from tailkeeper import takeover
from tailkeeper.adapters import resolvers
from tailkeeper.adapters.cluster import Cluster, Unreachable
from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.writing import Report, Writing, Written
from tailkeeper.config import Config
from tailkeeper.ledger import SOMEBODY
from tailkeeper.reverts import DOCUMENT


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
        suspended = {writer["name"]: writer["suspended"] for writer in observed["writers"]}
        return lambda change: documents.standing(self.resolver, self.text, suspended, change)

    def write(self, changes: Sequence[Change]) -> Written:
        """Suspend the CronJobs that are taken over, then write the document."""
        for change in changes:
            if job := documents.cron_job(change.key):
                resolvers.suspend(self.cluster, self.resolver.namespace, job, change.after)
        text = documents.applied(self.resolver, self.text, changes)
        if text == self.text:
            return Written(self.version)
        return Written(self._write(text))

    def _write(self, text: str | None) -> str:
        """Write the document, noted in the ledger; what we never wrote is not taken by force."""
        force = self.resolver.take_over or DOCUMENT in self.ledger.lines()
        lines = self.ledger.note([(DOCUMENT, self.text, text)], self.owner)
        version = resolvers.write(self.cluster, self.resolver, text, self.version, force=force)
        self.ledger.settle(lines, [DOCUMENT])
        return version


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
