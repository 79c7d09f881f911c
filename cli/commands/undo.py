"""`tailkeeper undo ID`: take a change back, as a change of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli import journal
from cli.commands.run import code_of, converge, report, request
from cli.deployments import opened
from cli.problems import Misuse
from cli.screen import Screen


if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    """Undo the change; return 0 when all of it was, 3 when somebody had changed a part since."""
    screen = Screen(json=options.json)
    document = request("Undo", {"change_id": options.id}, dry_run=options.dry_run)
    with opened(options.sandbox, options.stack) as deployment:
        if journal.head(deployment, options.id) is None:
            raise Misuse(f"there is no change {options.id}: `tailkeeper changes` lists them")
        ended = converge(screen, deployment, "Undo", document, live=options.follow)
        report(screen, deployment, ended)
    return code_of(ended)
