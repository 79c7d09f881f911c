"""State Observe Tailnet: devices, services and split DNS, with what could not be read."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters import tailnet
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config


logger = Logger(service="observe-tailnet")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed observation of the tailnet; a failure makes it partial, never raises."""
    stack().lease(event["run"])
    observed = observe(Config.from_json(event["config"]).tailnet)
    logger.info("observed", extra={"partial": observed["partial"]})
    return stack().artifacts.pack(observed, "observations")


def observe(name: str) -> dict[str, Any]:
    """Return the observation, with an empty partial one when nobody lets us in."""
    try:
        secret = stack().secret("TAILSCALE_SECRET")
        with tailnet.connect(os.environ["TAILSCALE_URL"], secret) as http:
            return tailnet.Tailnet(http, name).observe()
    except (tailnet.Refused, tailnet.Throttled, tailnet.Unreachable) as error:
        return tailnet.nothing(str(error))
