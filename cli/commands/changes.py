"""`tailkeeper changes [ID]`: what was changed, why, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli import journal
from cli.causes import cause_text, causes_text
from cli.deployments import opened
from cli.durations import durations, moments, took
from cli.problems import Misuse
from cli.screen import Screen, seconds
from cli.tables import STYLES, counts_text, table
from tailkeeper.summary import text_of


if TYPE_CHECKING:
    from argparse import Namespace

    from cli.journal import Entry, Head

UNDO = "-undo"  # how the name of a round ends that took others back
MANY = 5  # causes that are told one by one


def run(options: Namespace) -> int:
    """Print the list of changes, or one of them."""
    screen = Screen(json=options.json)
    with opened(options.sandbox, options.stack) as deployment:
        if not options.id:
            show_list(screen, journal.heads(deployment, options.limit))
            return 0
        head = journal.head(deployment, options.id)
        if head is None:
            raise Misuse(f"there is no change {options.id}: `tailkeeper changes` lists them")
        head["asked"] = journal.questions(deployment, options.id)
        show_one(screen, head, journal.entries(deployment, options.id))
    return 0


def show_list(screen: Screen, heads: list[Head]) -> None:
    """Print the changes, newest first."""
    if screen.json:
        screen.document(heads)
        return
    made = table("change (UTC)", "took", "outcome", "what", "cause", whole=3)
    for head in heads:
        outcome, open_for = outcome_of(head), took(head)
        made.add_row(
            head["id"],
            "" if open_for is None else seconds(open_for),
            f"{outcome}, undone" if head.get("undone_by") else outcome,
            counts_text(head.get("counts", {})),
            causes_text(head.get("causes") or []),
            style=STYLES.get(outcome) if outcome != "applied" else None,
        )
    screen.say(made if heads else "No change yet.")


def show_one(screen: Screen, head: Head, entries: list[Entry]) -> None:
    """Print one change: causes, outcome, moments, each entry with its verdict and receipt."""
    if screen.json:
        screen.document(document_of(head, entries))
        return
    outcome = outcome_of(head)
    screen.say(f"Change {head['id']}: {outcome}", style=STYLES.get(outcome, ""))
    for name, text in (*facts(head), *times(head, entries), *proof(head)):
        screen.say(f"  {name:<8} {text}")
    made = table("name, surface", "before -> after", "verdict, state")
    for entry in entries:
        change = entry.change
        made.add_row(
            f"{change.key}\n{change.surface}",
            f"{text_of(change.before)}\n-> {text_of(change.after)}",
            "\n".join(filter(None, (verdict_text(entry), state_text(entry)))),
            style=STYLES.get(entry.state) if entry.state != "applied" else None,
        )
    screen.say(made if entries else "  Nothing was written.")
    for question in head.get("asked", ()):
        screen.say(f"Asked at {question['at']}: {question['words']}")


def document_of(head: Head, entries: list[Entry]) -> dict[str, Any]:
    """Return a change with its entries, and how many seconds after its event things happened."""
    spent = durations(moments(head, entries))
    return {**head, "durations": spent, "entries": [entry.as_json() for entry in entries]}


def facts(head: Head) -> list[tuple[str, str]]:
    """Return why a change was made and what came of it: (name, text)."""
    causes = head.get("causes") or []
    lines = [("cause", cause_text(cause)) for cause in causes[:MANY]]
    lines += [("", f"and {len(causes) - MANY} more")] if len(causes) > MANY else []
    lines += [("undoes", str(head["undoes"]))] if head.get("undoes") else []
    lines += [("undone", f"by {', '.join(head['undone_by'])}")] if head.get("undone_by") else []
    lines.append(("what", counts_text(head.get("counts", {}))))
    lines += [("why", head["why"])] if head.get("why") else []
    return lines + [("note", text) for text in head.get("reports", ())]


def times(head: Head, entries: list[Entry]) -> list[tuple[str, str]]:
    """Return when things happened to a change, and how long after its event."""
    found = moments(head, entries)
    spent = durations(found)
    return [
        ("when" if place == 0 else "", f"{at}  +{seconds(spent[name])}  {name}")
        for place, (name, at) in enumerate(found.items())
    ]


def proof(head: Head) -> list[tuple[str, str]]:
    """Return what the proof found: its word, then each finding that failed."""
    found = head.get("proof") or {}
    if not found:
        return []
    lines = [("proof", f"{found['word']}: {counts_text(found['states'])}")]
    for finding in found.get("failing", ()):
        where = f"{finding['view']}, {finding['host']}, {finding['path']}"
        lines.append(("", f"{finding['state']} at {finding['hop']}: {where}: {finding['detail']}"))
    return lines


def verdict_text(entry: Entry) -> str:
    """Return the guard's word on an entry, with its reasons."""
    verdict = entry.change.verdict
    return ": ".join(filter(None, (verdict.word, "; ".join(verdict.reasons)))) if verdict else ""


def state_text(entry: Entry) -> str:
    """Return what became of an entry: its state, that it took others back, the receipt."""
    state = "taken back" if entry.round.endswith(UNDO) else entry.state
    return f"{state}, {entry.receipt}".removesuffix(", ")


def outcome_of(head: Head) -> str:
    """Return a change's outcome; one that is not closed is open."""
    return str(head.get("outcome", "open"))
