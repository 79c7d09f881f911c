"""The state machines' definitions, as graphs and as text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import yaml
from jsonata import Jsonata


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.checks.template import Machine

AWS_ERRORS = re.compile(r"(States|Lambda|Runtime|Sandbox|DynamoDB|StepFunctions|Ssm)\.\w+")
SUBSTITUTION = re.compile(r"\$\{(\w+)\}")
TERMINAL = {"Succeed", "Fail"}


def check(machine: Machine, root: Path) -> Iterator[str]:
    """Yield what is wrong with a definition, each finding with the file and the state."""
    path = root / machine.path
    text = path.read_text()
    yield from _substitutions(machine, text)
    raised = set(_exceptions(root))
    document = yaml.safe_load(text)
    if document.get("QueryLanguage") != "JSONata":
        yield f"{machine.path}: QueryLanguage is not JSONata"
    for graph in _graphs(document):
        yield from (f"{machine.path}: {finding}" for finding in _graph(graph))
    for name, state in _states(document):
        for finding in (*_expressions(state), *_errors(state, raised)):
            yield f"{machine.path}: {name}: {finding}"


def _substitutions(machine: Machine, text: str) -> Iterator[str]:
    used = set(SUBSTITUTION.findall(text))
    for name in sorted(used - machine.substitutions):
        yield f"{machine.path}: ${{{name}}} is not in DefinitionSubstitutions of {machine.name}"
    for name in sorted(machine.substitutions - used):
        yield f"template.yaml: {machine.name} substitutes {name}, which its definition never uses"


def _graphs(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the machine and, at any depth, each branch and item processor."""
    yield document
    for state in document["States"].values():
        for branch in state.get("Branches", []):
            yield from _graphs(branch)
        if processor := state.get("ItemProcessor"):
            yield from _graphs(processor)


def _states(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for graph in _graphs(document):
        yield from graph["States"].items()


def _graph(graph: dict[str, Any]) -> Iterator[str]:
    states = graph["States"]
    for name, state in states.items():
        for target in _targets(state):
            if target not in states:
                yield f"{name}: goes to {target}, which is no state here"
        if not list(_targets(state)) and not state.get("End") and state["Type"] not in TERMINAL:
            yield f"{name}: goes nowhere and does not end"
    seen, todo = set(), [graph["StartAt"]]
    while todo:
        name = todo.pop()
        if name in states and name not in seen:
            seen.add(name)
            todo += _targets(states[name])
    for name in sorted(states.keys() - seen):
        yield f"{name}: is never reached"


def _targets(state: dict[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Choices", []), *state.get("Catch", [])):
        yield from (holder[key] for key in ("Next", "Default") if key in holder)


def _expressions(value: Any) -> Iterator[str]:
    """Yield each expression that does not compile; branches are checked as states of their own."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in {"Branches", "ItemProcessor"}:
                yield from _expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from _expressions(part)
    elif isinstance(value, str) and value.strip().startswith("{%"):
        if not value.strip().endswith("%}"):
            yield f"{value!r} does not end with %}}"
            return
        expression = SUBSTITUTION.sub("0", value.strip()[2:-2])
        try:
            Jsonata(expression)
        except Exception as error:  # noqa: BLE001 - whatever the parser raises
            yield f"{expression.strip()!r} does not compile: {error}"


def _errors(state: dict[str, Any], raised: set[str]) -> Iterator[str]:
    for rule in (*state.get("Retry", []), *state.get("Catch", [])):
        for name in rule["ErrorEquals"]:
            if name not in raised and not AWS_ERRORS.fullmatch(name):
                yield f"catches {name}, which nothing raises"


def _exceptions(root: Path) -> Iterator[str]:
    """Yield the names of the exception classes that the product defines."""
    for folder in ("layers/core", "functions"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.bases:
                    yield node.name
