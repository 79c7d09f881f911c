"""What the checks read of template.yaml: its functions with their layers, its state machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml


if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A state machine: its logical id, its definition's path, what is substituted in it."""

    name: str
    path: str
    substitutions: frozenset[str]


@dataclass(frozen=True)
class Function:
    """A function: its logical id, its module, the layers it sees."""

    name: str
    module: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """The parts of the template that are checked."""

    machines: tuple[Machine, ...]
    functions: tuple[Function, ...]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their plain values."""


def _tag(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


_Loader.add_multi_constructor("!", _tag)


def load(path: Path) -> Stack:
    """Return the functions and machines of a SAM template."""
    document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader with tags
    shared = document["Globals"]["Function"].get("Layers", [])
    machines, functions = [], []
    for name, resource in document["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::StateMachine":
            substitutions = frozenset(properties.get("DefinitionSubstitutions", {}))
            machines.append(Machine(name, properties["DefinitionUri"], substitutions))
        if resource["Type"] == "AWS::Serverless::Function":
            module = properties["Handler"].rpartition(".")[0]
            functions.append(Function(name, module, (*shared, *properties.get("Layers", []))))
    return Stack(tuple(machines), tuple(functions))
