"""State Observe Resolver: each resolver's document as it stands, and who else writes it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import resolvers
from tailkeeper.adapters.cluster import Cluster
from tailkeeper.adapters.stack import stack
from tailkeeper.config import ClusterConfig, Config


logger = Logger(service="observe-resolver")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed observation: {place: {text, version, writers, why}}."""
    stack().lease(event["run"])
    access = stack().secret("KUBECONFIG_SECRET")
    observed: dict[str, Any] = {}
    for cluster in Config.from_json(event["config"]).clusters:
        observed |= observe(cluster, access.get(cluster.name))
    logger.info("observed", extra={"why": {place: o["why"] for place, o in observed.items()}})
    return stack().artifacts.pack(observed, "observations")


def observe(config: ClusterConfig, kubeconfig: Any) -> dict[str, Any]:
    """Return the observations of one cluster's resolvers by place."""
    if kubeconfig is None:
        why = f"the kubeconfig secret holds no cluster {config.name}"
        return {f"{config.name}/{r.place}": resolvers.nothing(why) for r in config.resolvers}
    cluster = Cluster.connect(kubeconfig)
    return {f"{config.name}/{r.place}": resolvers.observe(r, cluster) for r in config.resolvers}
