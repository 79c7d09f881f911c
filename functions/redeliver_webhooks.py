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
    try:
        with connect(repository, tokens, os.environ["GIT_URL"]) as host:
            wanted = to_ask(host.deliveries(repository.hook), time.time())
            mine = [delivery for delivery in wanted if is_first(repository, delivery)]
            for delivery in mine:
                host.redeliver(repository.hook, delivery)
            return len(mine)
    except TROUBLE as error:
        return str(error)


def is_first(repository: Repository, delivery: int) -> bool:
    """Claim a delivery; False when a sweep, or this one's twin, has asked for it."""
    item = {
        "pk": f"redelivery#{repository.provider} {repository.name}",
        "sk": str(delivery),
        "expires_at": int(time.time()) + KEPT,
    }
    try:
        stack().table.put(item, "attribute_not_exists(pk)")
    except ConditionFailed:
        return False
    return True
