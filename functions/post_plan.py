"""State Post Plan: a pull request is told what would come of it, as a status of its last commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.git_host import TROUBLE, connect
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config
from tailkeeper.git.pushes import Push
from tailkeeper.git.status import name_of, page, verdict_of


if TYPE_CHECKING:
    from tailkeeper.git.hosts import State

logger = Logger(service="post-plan")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {link, why}; `word` is pending, planned or failed. Setting a status twice is harmless.

    A host that cannot be told is reported in `why`: it has nothing to do with the plan.
    """
    config, tokens = Config.from_json(event["config"]), stack().secret("GIT_SECRET")
    state, description = told(event)
    link, why = "", ""
    for push in map(Push.from_json, event["pushes"]):
        watching = config.repositories_of(push.provider, push.repository, "") if push.pull else ()
        for repository in watching[:1]:
            link = link or published(event, push)
            try:
                with connect(repository, tokens, os.environ["GIT_URL"]) as host:
                    host.post_status(push.sha, state, description, link)
            except TROUBLE as error:
                why = str(error)
    logger.info("told", extra={"status": state, "description": description, "why": why})
    return {"link": link, "why": why}


def told(event: dict[str, Any]) -> tuple[State, str]:
    """Return the state and the words of the status."""
    match event["word"]:
        case "pending":
            return "pending", "planning"
        case "failed":
            return "failure", "the plan could not be made"
    return verdict_of(event["planned"]["counts"], event["planned"]["troubles"])


def published(event: dict[str, Any], push: Push) -> str:
    """Return a link to the whole plan, short enough for every host; "" while there is none."""
    if event["word"] != "planned":
        return ""
    plan = stack().artifacts.unpack(event["planned"]["plan"])
    title = f"{push.repository} pull {push.pull} at {push.sha[:7]}"
    shown = page(title, plan, event["planned"]["reports"])
    name = name_of(shown, stack().secret("LINK_SECRET")["key"])
    stack().artifacts.publish(name, shown)
    return f"{os.environ['PLANS']}/{name}"
