"""The prober, of the states Probe Batch Before and Probe Batch: one batch of targets."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.prober import probe, tls_context
from tailkeeper.adapters.stack import stack


if TYPE_CHECKING:
    import ssl

BUDGET = 30_000
logger = Logger(service="probe-endpoints")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed findings of `targets`, a packed batch; `before` the change is applied."""
    stack().lease(event["run"])
    batch = stack().artifacts.unpack(event["targets"])
    findings = asyncio.run(
        probe(
            batch,
            before=event["before"],
            context=context(),
            proxy=os.environ["TAILNET_PROXY"],
            public_dns=os.environ["PUBLIC_DNS"],
        )
    )
    logger.info("probed", extra={"states": Counter(finding["state"] for finding in findings)})
    return stack().artifacts.pack(findings, "findings", budget=BUDGET)


@cache
def context() -> ssl.SSLContext:
    """Return the process's one TLS context."""
    return tls_context()
