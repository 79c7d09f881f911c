"""State Observe Cluster: the objects that publish names, and the proxies' devices."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import objects
from tailkeeper.adapters.cluster import Cluster, Refused
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config


logger = Logger(service="observe-cluster")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed observations, one for each cluster; a failure makes one partial."""
    stack().lease(event["run"])
    access = stack().secret("KUBECONFIG_SECRET")
    clusters = Config.from_json(event["config"]).clusters
    observed = [observe(cluster.name, access.get(cluster.name)) for cluster in clusters]
    logger.info("observed", extra={"partial": [cluster["partial"] for cluster in observed]})
    return stack().artifacts.pack(observed, "observations")


def observe(name: str, kubeconfig: Any) -> dict[str, Any]:
    """Return one cluster's observation, an empty partial one where there is no way to it."""
    if kubeconfig is None:
        return objects.nothing(name, f"the kubeconfig secret holds no cluster {name}")
    try:
        return objects.observe(name, Cluster.connect(kubeconfig))
    except Refused as error:
        return objects.nothing(name, str(error))
