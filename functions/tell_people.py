"""State Tell People: one message about all that a run holds or took back, and nobody knows of."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.aws import AwsError
from tailkeeper.adapters.stack import stack
from tailkeeper.adapters.topic import Topic
from tailkeeper.config import Config
from tailkeeper.decisions import telling
from tailkeeper.decisions.decision import TO_ASK
from tailkeeper.decisions.links import Link


if TYPE_CHECKING:
    from tailkeeper.decisions.decision import Decision

REFUSED = range(400, 500)  # statuses that prove that nothing was sent
logger = Logger(service="tell-people")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return {told}: of how many changes people have been told. A second try sends nothing twice.

    One whose message may have got lost stays news, so that the next sweep asks anew.
    """
    change_id = event["change_id"]
    known = stack().decisions.known().values()
    news = [one for one in known if one.change_id == change_id and one.word in TO_ASK and one.news]
    news.sort(key=lambda one: (one.surface, one.place, one.key))
    if not news:
        return {"told": 0}
    expires = int(time.time()) + Config.from_json(event["config"]).budgets.decide
    sent = ask(Link.to(change_id, (one.digest for one in news), expires), news)
    if sent:
        stack().decisions.keep(one.as_told() for one in news)
    logger.info("told", extra={"change": change_id, "changes": len(news), "sent": sent})
    return {"told": len(news) if sent else 0}


def ask(link: Link, news: list[Decision]) -> bool:
    """Ask people about the changes, unless that was tried before; say whether they were asked."""
    subject, words = telling.subject(news), telling.text(link.change_id, news, "", 0)
    digests = [one.digest for one in news]
    if not stack().questions.begin(link, digests, subject, words):
        return stack().questions.was_sent(link)
    token = link.token(stack().secret("LINK_SECRET")["key"])
    url = f"{os.environ['CHANGES']}/{link.change_id}?token={token}"
    try:
        text = telling.text(link.change_id, news, url, link.expires)
        receipt = Topic(stack().aws).publish(subject, text)
    except AwsError as error:
        if error.status in REFUSED:
            stack().questions.forget(link)
        raise
    stack().questions.sent(link, receipt)
    return True
