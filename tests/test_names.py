"""One name in five places: file, logical id, substitution, state, test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml


ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from scripts.checks import template  # noqa: E402 - the scripts are not a package of the product


STACK = template.load(ROOT / "template.yaml")
MODULES = sorted(path.stem for path in (ROOT / "functions").glob("*.py"))
OUTSIDE = {
    "decide_change",
    "show_plan",
    *(f"receive_{sender}_webhook" for sender in ("tailscale", "git", "flux")),
}  # started by HTTP, not by a state
SHARED = {"probe_endpoints"}  # the prober serves several states, which say so


def words(module: str) -> list[str]:
    """Return a module's name as words."""
    return module.split("_")


def states_by_substitution() -> dict[str, set[str]]:
    """Return the states that invoke each substitution, over all machines."""
    found: dict[str, set[str]] = {}
    for machine in STACK.machines:
        todo = [yaml.safe_load((ROOT / machine.path).read_text())]
        while todo:
            graph = todo.pop()
            for name, state in graph["States"].items():
                todo += [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]
                function = state.get("Arguments") or {}
                if isinstance(function, dict) and "FunctionName" in function:
                    found.setdefault(function["FunctionName"][2:-1], set()).add(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_function_has_one_name_everywhere(module: str) -> None:
    """File, logical id, substitution, state and test all say the same."""
    name = "".join(word.capitalize() for word in words(module))

    assert {f.module: f.name for f in STACK.functions}[module] == f"{name}Function"
    assert (ROOT / "tests" / "functions" / f"test_{module}.py").is_file()
    if module not in OUTSIDE:
        states = {state.lower() for state in states_by_substitution()[name]}
        assert " ".join(words(module)) in states or module in SHARED


def test_every_function_of_the_template_is_a_file() -> None:
    """No logical id points at nothing."""
    assert sorted(function.module for function in STACK.functions) == MODULES
