"""What is wrong in a definition beyond its grammar: transitions, reachability, expressions.

AWS refuses such a definition when the state machine is created; moto takes it, and fails when an
execution gets there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.aws.stepfunctions.jsonata import QueryError, compile_expression


if TYPE_CHECKING:
    from collections.abc import Iterator


NESTED = ("ItemProcessor", "Iterator")


@dataclass(frozen=True)
class Problem:
    """One reason to refuse a definition; `location` is a path such as `/States/Plan/Next`."""

    code: str
    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location}"


def problems(definition: str) -> list[Problem]:
    """Return everything that AWS would refuse; a text that is no JSON object is left to moto."""
    try:
        document = json.loads(definition)
    except ValueError:
        return []
    if not isinstance(document, dict):
        return []
    return [*_machine(document, ""), *_expressions(document, "")]


def _machine(machine: dict[str, Any], at: str) -> Iterator[Problem]:
    """Yield what is wrong in one level of states, then in the levels within it."""
    states = machine.get("States", {})
    for name, state in states.items():
        where = f"{at}/States/{name}"
        for field, target in _transitions(state, where):
            if target not in states:
                yield Problem("MISSING_TRANSITION_TARGET", f"Missing target: {target}", field)
        for inner, path in _inner(state, where):
            yield from _machine(inner, path)
    start = str(machine.get("StartAt"))
    if start not in states:
        yield Problem("MISSING_TRANSITION_TARGET", f"Missing target: {start}", f"{at}/StartAt")
    else:
        yield from _unreachable(states, start, at)


def _unreachable(states: dict[str, Any], start: str, at: str) -> Iterator[Problem]:
    seen, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name in states and name not in seen:
            seen.add(name)
            ahead.extend(target for _, target in _transitions(states[name], ""))
    for name in states:
        if name not in seen:
            message = f'State "{name}" is not reachable.'
            yield Problem("MISSING_TRANSITION_TARGET", message, f"{at}/States/{name}")


def _transitions(state: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """Yield each place where a state names another, and the name."""
    for field in ("Next", "Default"):
        if field in state:
            yield f"{at}/{field}", state[field]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, [])):
            if "Next" in rule:
                yield f"{at}/{field}[{index}]/Next", rule["Next"]


def _inner(state: dict[str, Any], at: str) -> Iterator[tuple[dict[str, Any], str]]:
    for index, branch in enumerate(state.get("Branches", [])):
        yield branch, f"{at}/Branches[{index}]"
    for field in NESTED:
        if field in state:
            yield state[field], f"{at}/{field}"


def _expressions(value: Any, at: str) -> Iterator[Problem]:
    """Yield every `{% %}` that does not compile."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _expressions(part, f"{at}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _expressions(part, f"{at}[{index}]")
    elif isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        try:
            compile_expression(value[2:-2].strip())
        except QueryError as error:
            yield Problem("SCHEMA_VALIDATION_FAILED", f"The expression {error}", at)
