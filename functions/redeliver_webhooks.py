"""State Redeliver Webhooks: what GitHub could not deliver is asked for again, once each."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.aws import ConditionFailed
from tailkeeper.adapters.git_host import TROUBLE, connect
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config
from tailkeeper.git.redelivery import KEPT, to_ask


if TYPE_CHECKING:
    from tailkeeper.config import Repository

WAIT = 240  # seconds for a delivery to be tried again: a sweep's twin is soon, the next one is not
FREE = "attribute_not_exists(pk) OR asked_until <= :now"
logger = Logger(service="redeliver-webhooks")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {repository: how many were asked for, or why none}; one list call for each."""
    tokens = stack().secret("GIT_SECRET")
    watched = [r for r in Config.from_json(event["config"]).repositories if r.hook]
    asked = {repository.name: ask(repository, tokens) for repository in watched}
    logger.info("asked", extra={"deliveries": asked})
    return asked


def ask(repository: Repository, tokens: dict[str, str]) -> int | str:
    """Ask for what one repository's webhook did not deliver."""
    count = 0
    try:
        with connect(repository, tokens, os.environ["GIT_URL"]) as host:
            for delivery in to_ask(host.deliveries(repository.hook), time.time()):
                if is_ours(repository, delivery):
                    host.redeliver(repository.hook, delivery)
                    count += 1
            return count
    except TROUBLE as error:
        return str(error)


def is_ours(repository: Repository, delivery: int) -> bool:
    """Claim a delivery for a while; False when somebody has asked for it just now.

    Not for good: a host that did not take the request is asked again, as is one that forgot it.
    """
    now = int(time.time())
    item = {
        "pk": f"redelivery#{repository.provider} {repository.name}",
        "sk": str(delivery),
        "asked_until": now + WAIT,
        "expires_at": now + KEPT,
    }
    try:
        stack().table.put(item, FREE, now=now)
    except ConditionFailed:
        return False
    return True
