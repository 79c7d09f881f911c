"""`tailkeeper changes [ID]`: what was changed, why, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli import journal
from cli.deployments import opened
from cli.problems import Misuse
from cli.screen import Screen, seconds
from cli.tables import STYLES, counts_text, table, text_of, verdict_of


if TYPE_CHECKING:
    from argparse import Namespace

    from cli.journal import Entry, Head

LISTED = 50
LATER = ("planned", "closed")


def run(options: Namespace) -> int:
    """Print the list of changes, or one of them."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        if not options.id:
            show_list(screen, journal.heads(deployment, LISTED))
            return 0
        head = journal.head(deployment, options.id)
        if head is None:
            raise Misuse(f"there is no change {options.id}: `tailkeeper changes` lists them")
        show_one(screen, head, journal.entries(deployment, options.id))
    return 0


def show_list(screen: Screen, heads: list[Head]) -> None:
    """Print the changes, newest first."""
    if screen.json:
        screen.document(heads)
        return
    made = table("change", "started", "took", "outcome", "what", "cause", whole=4)
    for head in heads:
        outcome = outcome_of(head)
        made.add_row(
            head["id"],
            head.get("started", "")[:19].replace("T", " "),
            took(head),
            outcome,
            counts_text(head.get("counts", {})),
            causes_text(head),
            style=STYLES.get(outcome) if outcome != "applied" else None,
        )
    screen.say(made if heads else "No change yet.")


def show_one(screen: Screen, head: Head, entries: list[Entry]) -> None:
    """Print one change: causes, outcome, moments, each entry with its verdict and receipt."""
    if screen.json:
        screen.document({**head, "entries": [entry.as_json() for entry in entries]})
        return
    outcome = outcome_of(head)
    screen.say(f"Change {head['id']}: {outcome}", style=STYLES.get(outcome, ""))
    for name, text in facts(head):
        screen.say(f"  {name:<8} {text}")
    made = table("surface", "name", "before", "after", "verdict", "state, receipt", whole=2)
    for entry in entries:
        change, receipt = entry.change, f"{entry.state}, {entry.receipt}".removesuffix(", ")
        before, after = text_of(change.before), text_of(change.after)
        made.add_row(change.surface, change.key, before, after, verdict_of(change), receipt)
    screen.say(made if entries else "  Nothing was written.")


def facts(head: Head) -> list[tuple[str, str]]:
    """Return the lines about a change: (name, text)."""
    lines = [("cause", causes_text(head)), ("what", counts_text(head.get("counts", {})))]
    lines.append(("started", head.get("started", "")))
    lines += [(name, f"{head[name]}  {after(head, name)}") for name in LATER if name in head]
    proof = head.get("proof") or {}
    if proof:
        lines.append(("proof", f"{proof['word']}: {counts_text(proof['states'])}"))
    for view, at in sorted(proof.get("views", {}).items(), key=lambda item: item[1]):
        lines.append(("", f"{view} view right since {at}  {since(head, at)}"))
    for finding in proof.get("failing", ()):
        where = f"{finding['view']}, {finding['host']}, {finding['path']}"
        lines.append(("", f"{finding['state']} at {finding['hop']}: {where}: {finding['detail']}"))
    lines += [("why", head["why"])] if head.get("why") else []
    lines += [("note", text) for text in head.get("reports", ())]
    return lines


def outcome_of(head: Head) -> str:
    """Return a change's outcome; one that is not closed is open."""
    return str(head.get("outcome", "open"))


def causes_text(head: Head) -> str:
    """Return the first cause in words, and how many others there are."""
    causes: list[dict[str, Any]] = head.get("causes") or []
    if not causes:
        return ""
    first = causes[0]
    text = f"{first['kind']}: {first['ref'] or first['by']}"
    return text if len(causes) == 1 else f"{text} and {len(causes) - 1} more"


def took(head: Head) -> str:
    """Return how long the change was open."""
    return after(head, "closed") if "closed" in head else ""


def after(head: Head, name: str) -> str:
    """Return how long after its start something happened to a change."""
    return since(head, head[name])


def since(head: Head, moment: str) -> str:
    """Return how long after a change's start a moment is."""
    if "started" not in head:
        return ""
    begun, then = (datetime.fromisoformat(text) for text in (head["started"], moment))
    return f"+{seconds((then - begun).total_seconds())}"
