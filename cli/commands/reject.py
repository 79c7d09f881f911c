"""`tailkeeper reject ID`: let what is held stay undone until somebody approves it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cli.commands.run import person
from cli.deciding import show, stay_undone, under
from cli.deployments import opened
from cli.screen import Screen
from cli.storage import decisions_of
from tailkeeper.decisions.decision import KEPT
from tailkeeper.moments import rfc3339


if TYPE_CHECKING:
    from argparse import Namespace

WORDS = ("held", "approved")


def run(options: Namespace) -> int:
    """Reject, and say what was; nothing runs."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        decisions = decisions_of(deployment)
        meant = under(decisions.known(), options.id, WORDS, options.only)
        at, by, expires = rfc3339(time.time()), person()["by"], int(time.time()) + KEPT
        rejected = [one.decided("rejected", by, at, expires) for one in meant]
        decisions.keep(rejected)
    if screen.json:
        screen.document({"rejected": [one.as_json() for one in rejected]})
        return 0
    show(screen, rejected)
    screen.say(stay_undone(len(rejected), options.id))
    return 0
