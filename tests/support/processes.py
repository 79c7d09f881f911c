"""Processes of this machine, as Linux shows them."""

from __future__ import annotations

from pathlib import Path


def below(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started, and of those below them."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):  # it has just ended
            continue
    found, todo = [], [pid]
    while todo:
        above = todo.pop()
        mine = [child for child, parent in parents.items() if parent == above]
        found += mine
        todo += mine
    return found


def command_line(pid: int) -> str:
    """Return a process's command line, "" once it is over."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
