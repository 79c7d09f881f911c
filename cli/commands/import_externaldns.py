"""`tailkeeper import-externaldns`: what ExternalDNS keeps in a zone, taken over or given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli import executions
from cli.commands.run import code_of, converge, request
from cli.deployments import opened
from cli.screen import Screen
from cli.tables import ROWS, STYLES, counts_text, table


if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from cli.deployments import Deployment
    from cli.executions import Ended

    Survey = dict[str, Any]


def run(options: Namespace) -> int:
    """Show the zones, or let the marks pass on; return the exit code of the outcome."""
    screen = Screen(json=options.json)
    changing = (options.mark or options.back) and not options.dry_run
    document = request("Undo", {"marks": marks(options)}, dry_run=not changing)
    with opened(options.sandbox, options.stack) as deployment:
        ended = converge(screen, deployment, "Undo", document, live=options.follow)
        report(screen, ended, surveys(deployment, ended))
    return code_of(ended)


def marks(options: Namespace) -> dict[str, str]:
    """Return whose marks pass to whom; "" is the owner that a zone is configured with."""
    owner, successor = options.owner, options.ours
    if options.back:
        owner, successor = successor, owner
    zone = {"zone": options.zone} if options.zone else {}
    return {"owner": owner, "as": successor, **zone}


def surveys(deployment: Deployment, ended: Ended) -> list[Survey]:
    """Return what the execution saw of each zone."""
    visits = executions.read_history(deployment, ended.arn).of("Import Marks")
    payload = ((visits[-1].output or {}).get("Payload") or {}) if visits else {}
    found: list[Survey] = executions.unpacked(deployment, payload.get("survey", {"inline": []}))
    return found


def report(screen: Screen, ended: Ended, found: Sequence[Survey]) -> None:
    """Print each zone, then the outcome; or one JSON document."""
    output = ended.output or {"outcome": "failed", "why": ended.why}
    if screen.json:
        screen.document({**output, "survey": list(found), "execution": ended.arn})
        return
    for zone in found:
        show(screen, zone)
    words = [output["outcome"]]
    words += [f"change {output['change_id']}"] if output.get("change_id") else []
    words += [f"marks: {counts_text(output['plan'])}"] if "plan" in output else []
    words += [output["why"]] if output.get("why") else []
    screen.say(". ".join(words), style=STYLES.get(output["outcome"], ""))


def show(screen: Screen, zone: Survey) -> None:
    """Print one zone: its names of that owner, what stays and why, who else is there."""
    names, left = zone["names"], zone["left"]
    told = f"{len(names)} names and {zone['marks']} marks of {zone['owner']}, for {zone['as']}"
    screen.say(f"{zone['zone']}: {told}")
    made = table("name", "answer", "for", "marks")
    for name in names[:ROWS]:
        answer = f"{', '.join(name['types'])} {', '.join(name['targets'])}"
        made.add_row(name["host"], answer, name["resource"], name["format"])
    if len(names) > ROWS:
        made.add_row(f"and {len(names) - ROWS} more")
    if names:
        screen.say(made)
    for mark in left[:ROWS]:
        screen.say(f"  stays   {mark['mark']}: {mark['why']}")
    if len(left) > ROWS:
        screen.say(f"          and {len(left) - ROWS} more")
    for owner, count in zone["others"].items():
        whose = f"of {owner}" if owner else "without a mark"
        screen.say(f"  others  {count} names {whose}: never touched")
    for word in ("hint", "running"):
        if zone[word]:
            screen.say(f"  {word:<7} {zone[word]}", style="yellow")
