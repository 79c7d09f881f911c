"""`tailkeeper status`: what is held or refused now, since when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.commands.run import CODES
from cli.deciding import ORDER, in_order, show
from cli.deployments import opened
from cli.screen import Screen
from cli.storage import decisions_of


if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    """Print what stands; return the exit code of what is held, else of what is refused, else 0."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        standing = in_order(decisions_of(deployment).known().values())
    words = {one.word for one in standing}
    if screen.json:
        screen.document({w: [d.as_json() for d in standing if d.word == w] for w in ORDER})
    elif standing:
        show(screen, standing)
    else:
        screen.say("Nothing is held, refused, rejected or undone.")
    if not screen.json and any(one.decidable for one in standing):
        screen.say("Decide with `tailkeeper approve CHANGE` or `tailkeeper reject CHANGE`.")
    return next((CODES[word] for word in ("held", "refused") if word in words), 0)
