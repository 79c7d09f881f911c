"""`tailkeeper approve ID`: let what was held, rejected or undone through, and carry it out."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cli import executions
from cli.commands.run import code_of, converge, person, report, watched
from cli.deciding import under
from cli.deployments import opened
from cli.problems import Misuse
from cli.screen import Screen
from cli.storage import decisions_of


if TYPE_CHECKING:
    from argparse import Namespace

    from cli.deployments import Deployment
    from cli.executions import Ended
    from tailkeeper.model import Cause

WORDS = ("held", "rejected", "undone", "approved")


def run(options: Namespace) -> int:
    """Approve, start a Converge, wait for its end; return the exit code of its outcome."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        decisions = decisions_of(deployment)
        meant = under(decisions.known(), options.id, WORDS, options.only)
        digests = sorted(d.digest for d in meant if d.decidable or d.word == "approved")
        if not digests:
            why = "; ".join(meant[0].reasons)
            raise Misuse(f"an approval does not help while {why}: it goes on when that is mended")
        cause = decisions.approval(options.id, digests, person()["by"])
        ended = carried_out(screen, deployment, cause, name_of(digests, cause), live=options.follow)
        report(screen, deployment, ended)
    return code_of(ended)


def name_of(digests: list[str], cause: Cause) -> str:
    """Return the execution's name: to approve the same twice starts it once."""
    return f"approve-{cause.id}-{sha256(' '.join(digests).encode()).hexdigest()[:16]}"


def carried_out(
    screen: Screen, deployment: Deployment, cause: Cause, name: str, *, live: bool
) -> Ended:
    """Run the approval to its end, or whoever has taken it over."""
    document = {"causes": [cause.as_json()]}
    arn = executions.start(deployment, "Converge", document, name=name)
    ended = watched(screen, deployment, arn, live=live)
    if ended.outcome != "coalesced":
        return ended
    after = {"causes": [{**person(), "ref": f"after the approval of {cause.id}"}]}
    return converge(screen, deployment, "Converge", after, live=live)
