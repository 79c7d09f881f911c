"""Reading a SAM template as CloudFormation does: the short forms `!Ref`, `!Sub`, … become long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml


if TYPE_CHECKING:
    from pathlib import Path

UNPREFIXED = frozenset({"Ref", "Condition"})


class TemplateLoader(yaml.CSafeLoader):
    """A safe loader that knows CloudFormation's tags and leaves dates alone."""


def _intrinsic(loader: Any, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in UNPREFIXED else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


def _text(loader: Any, node: Any) -> str:
    """Read a scalar as it stands: `Version: 2012-10-17` is no date in a template."""
    return str(loader.construct_scalar(node))


TemplateLoader.add_multi_constructor("!", _intrinsic)
TemplateLoader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def load_template(path: Path) -> dict[str, Any]:
    """Return the template with its intrinsics in their long form; raise yaml.YAMLError."""
    document = yaml.load(path.read_bytes(), TemplateLoader)  # noqa: S506 - it is a safe loader
    if not isinstance(document, dict) or "Resources" not in document:
        raise ValueError(f"{path} is not a template: it has no Resources")
    return document
