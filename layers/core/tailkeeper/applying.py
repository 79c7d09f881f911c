"""What is left to write of a plan, by the world as it stands: every write may be a second one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tailkeeper.model import Change, Plan, Surface


@dataclass(frozen=True, slots=True)
class Sorted:
    """Changes already in place, changes to write, and those whose key others changed since."""

    done: tuple[Change, ...]
    todo: tuple[Change, ...]
    conflicts: tuple[Change, ...]


def sort_out(changes: Iterable[Change], current: Callable[[Change], Any]) -> Sorted:
    """Compare each change with what its key holds now; only `before` may be overwritten."""
    done: list[Change] = []
    todo: list[Change] = []
    conflicts: list[Change] = []
    for change in changes:
        now = current(change)
        pile = done if now == change.after else todo if now == change.before else conflicts
        pile.append(change)
    return Sorted(tuple(done), tuple(todo), tuple(conflicts))


def to_apply(plan: Plan | None, surface: Surface) -> dict[str, list[Change]]:
    """Return a surface's changes that the guard lets through, by place."""
    places: dict[str, list[Change]] = {}
    for change in plan.with_word("apply") if plan else ():
        if change.surface == surface:
            places.setdefault(change.place, []).append(change)
    return places
