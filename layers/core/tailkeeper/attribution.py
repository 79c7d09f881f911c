"""For which cluster a name of a zone was written: its mark names an object, and no cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.model import Change
    from tailkeeper.world import World

DECLARED = "config"  # a kind of no cluster


def clusters_by_answer(world: World) -> dict[str, set[str]]:
    """Return, by name and address, the clusters whose carriers have answered it."""
    found: dict[str, set[str]] = {}
    for key, known in world.memory.carriers.items():
        for answer in known["answers"]:
            found.setdefault(answer, set()).add(key.partition("/")[0])
    return found


def placed(change: Change, clusters: Mapping[str, set[str]]) -> Change:
    """Return a delete with the cluster of its source, where one cluster's carriers answered it."""
    answered: set[str] = set()
    for record in change.before["records"]:
        answered |= clusters.get(record["content"], set())
    if len(answered) != 1 or not change.source or change.source == DECLARED:
        return change
    return replace(change, source=f"{answered.pop()}/{change.source}")
