"""The state machines' definitions as they stand in the repository, as graphs."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.aws.provision.state_machines import substituted


if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "statemachines"

Way = tuple[str, str]


@cache
def source(name: str) -> dict[str, Any]:
    """Return a definition, its substitutions not yet made."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.asl.yaml").read_text())
    return document


def definition(name: str, values: dict[str, str]) -> str:
    """Return a definition with those of the substitutions that it asks for."""
    text = (FOLDER / f"{name}.asl.yaml").read_text()
    asked = {key: value for key, value in values.items() if f"${{{key}}}" in text}
    return json.dumps(substituted(text, asked))


def graphs(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a machine's graph and those of its branches: dicts with StartAt and States."""
    yield machine
    for state in machine["States"].values():
        for graph in (*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])):
            yield from graphs(graph)


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every state by its name, those of branches too."""
    return {name: state for graph in graphs(machine) for name, state in graph["States"].items()}


def ways(graph: dict[str, Any]) -> set[Way]:
    """Return every transition that a graph allows, as (from, to)."""
    rules = [
        (name, rule)
        for name, state in graph["States"].items()
        for rule in (state, *state.get("Choices", []), *state.get("Catch", []))
    ]
    return {(n, rule[key]) for n, rule in rules for key in ("Next", "Default") if key in rule}


def walked(graph: dict[str, Any], entered: list[str]) -> list[Way]:
    """Return the transitions within one graph of what was entered, in order.

    A graph's states are entered one after the other; a branch begins anew at its first state.
    """
    own = [name for name in entered if name in graph["States"]]
    return [(a, b) for a, b in pairwise(own) if b != graph["StartAt"]]
