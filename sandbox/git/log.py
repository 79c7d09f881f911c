"""What a push brought, commit by commit, as git's log tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.git.commands import NOTHING, ask


if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "%x1e%H%x1f%an%x1f%ae%x1f%cI%x1f%s"


@dataclass
class Commit:
    """One commit and the files that it changed."""

    sha: str
    author: str
    email: str
    at: str
    message: str
    added: list[str] = field(default_factory=list)
    modified: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


async def pushed(folder: Path, before: str, after: str) -> list[Commit]:
    """Return the commits between two, the oldest first; those of a new branch are its last."""
    if after == NOTHING:
        return []
    span = ["-1", after] if before == NOTHING else [f"{before}..{after}"]
    words = ["log", "--reverse", "--no-renames", "--name-status", f"--format={FORMAT}", *span]
    text = (await ask(folder, *words)).decode(errors="replace")
    return [_commit(part) for part in text.split("\x1e")[1:]]


async def is_forced(folder: Path, before: str, after: str) -> bool:
    """Say whether a push threw commits away."""
    if NOTHING in {before, after}:
        return False
    return bool((await ask(folder, "rev-list", "-1", f"{after}..{before}")).strip())


def _commit(text: str) -> Commit:
    head, _, files = text.partition("\n")
    sha, author, email, at, message = head.split("\x1f")
    commit = Commit(sha, author, email, at, message)
    lists = {"A": commit.added, "D": commit.removed}
    for line in filter(None, files.splitlines()):
        kind, _, path = line.partition("\t")
        lists.get(kind, commit.modified).append(path)
    return commit
