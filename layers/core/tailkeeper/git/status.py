"""What a pull request is told: its commit's status in a few words, and the whole plan as a page."""

from __future__ import annotations

import hmac
import re
from html import escape
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tailkeeper.git.hosts import State

PAGE = re.compile(r"[0-9a-f]{40}")
PURPOSE = "tailkeeper plan 1\n"
ACTIONS = ("create", "update", "delete")
TOLD = ("held", "refused", "waiting")
STYLE = """\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;
border-bottom:1px solid #8886;vertical-align:top}code{font-size:13px;overflow-wrap:anywhere}
:root{color-scheme:light dark}"""


def verdict_of(counts: Mapping[str, int], troubles: Sequence[str]) -> tuple[State, str]:
    """Return the state and the description of a plan's status: `3 changes, 1 held`.

    It fails when something could not be read, or would be held or refused.
    """
    if troubles:
        return "failure", troubles[0]
    changes = sum(counts[action] for action in ACTIONS)
    words = [f"{changes} change{'' if changes == 1 else 's'}"] if changes else []
    words += [f"{counts[word]} {word}" for word in TOLD if counts[word]]
    stopped = counts["held"] or counts["refused"]
    return "failure" if stopped else "success", ", ".join(words) or "no changes"


def page(title: str, plan: Iterable[Mapping[str, Any]], reports: Iterable[str]) -> str:
    """Return a plan as a page of its own, without a script and without anything from elsewhere."""
    rows = "".join(map(_row, plan)) or '<tr><td colspan="5">No changes.</td></tr>'
    notes = "".join(f"<li>{escape(report)}</li>" for report in reports)
    heads = "".join(f"<th>{head}</th>" for head in ("what", "where", "before", "after", "verdict"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>"
        f"<table><tr>{heads}</tr>{rows}</table><h2>Reports</h2><ul>{notes}</ul></html>\n"
    )


def name_of(shown: str, key: str) -> str:
    """Return a page's name: the same for the same page, and for nobody to guess."""
    text = (PURPOSE + shown).encode(errors="replace")
    return hmac.new(key.encode(), text, "sha256").hexdigest()[:40]


def _row(change: Mapping[str, Any]) -> str:
    verdict = change["verdict"]
    cells = (
        f"{change['action']} {change['key']}",
        f"{change['surface']} {change['place']}",
        ", ".join(_answers(change["before"])),
        ", ".join(_answers(change["after"])),
        f"{verdict['word']}: {'; '.join(verdict['reasons'])}",
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _answers(value: Any) -> Iterator[str]:
    """Yield what one side of a change answers, in words."""
    if not isinstance(value, dict):
        return
    for record in value.get("records", ()):
        yield f"{record['type']} {record['content']}"
    for key in ("addresses", "nameservers"):
        yield from value.get(key, ())
    if "text" in value or "mode" in value:
        yield "a document"
