"""State Observe Cluster: the objects that publish names, and the proxies' devices."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import objects
from tailkeeper.adapters.cluster import Cluster
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config


logger = Logger(service="observe-cluster")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed observations, one for each cluster; a failure makes one partial."""
    stack().lease(event["run"])
    access = stack().secret("KUBECONFIG_SECRET")
    observed = [
        objects.observe(name, Cluster.connect(access[name]))
        if name in access
        else objects.nothing(name, f"the kubeconfig secret holds no cluster {name}")
        for name in (cluster.name for cluster in Config.from_json(event["config"]).clusters)
    ]
    logger.info("observed", extra={"partial": [cluster["partial"] for cluster in observed]})
    return stack().artifacts.pack(observed, "observations")
