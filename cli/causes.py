"""Causes in words: why a run happened, as an operator would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Cause = Mapping[str, Any]

SHA = 10  # characters of a commit


def cause_text(cause: Cause) -> str:
    """Return a cause in words (docs/documents.md has what `ref` holds)."""
    words = WORDS.get(str(cause.get("kind")), _other)(cause)
    return f"{words} (by {cause['by']})" if cause.get("by") and cause["kind"] in BY else words


def causes_text(causes: list[dict[str, Any]]) -> str:
    """Return the first cause in words, and how many others there are."""
    if not causes:
        return ""
    text = cause_text(causes[0])
    return text if len(causes) == 1 else f"{text} and {len(causes) - 1} more"


def _tailscale(cause: Cause) -> str:
    event, _, device = (*str(cause.get("ref", "")).split(), "", "", "")[:3]
    return f"Tailscale's {event or 'event'}" + (f" of {device}" if device else "")


def _git(cause: Cause) -> str:
    _, repository, branch, sha = (*str(cause.get("ref", "")).split(), "", "", "", "")[:4]
    if branch.startswith("pull/") or not sha:
        return f"{branch.replace('pull/', 'pull request ') or 'a push'} of {repository}".rstrip()
    return f"push of {sha[:SHA]} to {repository} {branch}"


def _approval(cause: Cause) -> str:
    return f"approval of change {cause.get('id')}"


def _other(cause: Cause) -> str:
    return f"{cause.get('kind')}: {cause.get('ref') or cause.get('id')}"


BY = frozenset({"git", "person", "approval", "undo"})
WORDS: dict[str, Callable[[Cause], str]] = {
    "tailscale": _tailscale,
    "git": _git,
    "flux": lambda cause: f"Flux has applied {cause.get('ref')}",
    "sweep": lambda cause: str(cause.get("ref") or "found by sweep"),
    "person": lambda cause: f"asked for: {cause.get('ref') or 'a run'}",
    "approval": _approval,
    "undo": lambda cause: f"undo of {cause.get('id')}",
}
