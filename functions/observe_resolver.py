"""State Observe Resolver: each resolver's document as it stands, and who else writes it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import resolvers
from tailkeeper.adapters.cluster import Cluster, Refused
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
    places = {f"{config.name}/{resolver.place}": resolver for resolver in config.resolvers}
    if kubeconfig is None:
        why = f"the kubeconfig secret holds no cluster {config.name}"
        return {place: resolvers.nothing(why) for place in places}
    try:
        cluster = Cluster.connect(kubeconfig)
    except Refused as error:
        return {place: resolvers.nothing(str(error)) for place in places}
    return {place: resolvers.observe(resolver, cluster) for place, resolver in places.items()}
