"""`tailkeeper status`: what is held or refused now, since when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.commands.run import CODES
from cli.deciding import ORDER, in_order
from cli.deployments import opened
from cli.screen import Screen
from cli.storage import decisions_of
from cli.tables import ROWS, STYLES, table
from tailkeeper.decisions.telling import sentence


if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from rich.table import Table

    from tailkeeper.decisions.decision import Decision


def run(options: Namespace) -> int:
    """Print what stands; return the exit code of what is held, else of what is refused, else 0."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        standing = in_order(decisions_of(deployment).known().values())
    words = {one.word for one in standing}
    if screen.json:
        screen.document({w: [d.as_json() for d in standing if d.word == w] for w in ORDER})
    elif standing:
        screen.say(decision_table(standing))
        screen.say("Decide with `tailkeeper approve CHANGE` or `tailkeeper reject CHANGE`.")
    else:
        screen.say("Nothing is held, refused, rejected or undone.")
    return next((CODES[word] for word in ("held", "refused") if word in words), 0)


def decision_table(decisions: Sequence[Decision]) -> Table:
    """Return decisions as a table: which change, since when, what it would do, and why not."""
    made = table("change", "since", "state", "what", "why", whole=3)
    for one in decisions[:ROWS]:
        since = one.since[:19].replace("T", " ")
        who = f"{one.word} by {one.by}" if one.by else one.word
        why = "; ".join(one.reasons)
        made.add_row(one.change_id, since, who, sentence(one), why, style=STYLES.get(one.word))
    if len(decisions) > ROWS:
        made.add_row("", "", "", f"and {len(decisions) - ROWS} more")
    return made
