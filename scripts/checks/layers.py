"""The layer rule: a function imports, at any depth, only what its layers and the runtime hold."""

from __future__ import annotations

import ast
import sys
import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import Requirement


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.checks.template import Stack

RUNTIME = {"boto3", "botocore", "urllib3", "jmespath", "dateutil", "s3transfer", "six"}
IMPORTED_AS = {
    "aws-lambda-powertools": "aws_lambda_powertools",
    "dnspython": "dns",
    "pysocks": "socks",
}
ALONG = {"kubernetes": {"yaml"}, "cloudflare": {"httpx"}}  # what a distribution brings with it


def check(stack: Stack, root: Path) -> Iterator[str]:
    """Yield each import that a function's layers do not hold."""
    held = _by_layer(root)
    for function in stack.functions:
        allowed = RUNTIME | set(sys.stdlib_module_names) | {"tailkeeper"}
        for layer in function.layers:
            allowed |= held.get(layer, set())
        for path in _reached(root, root / "functions" / f"{function.module}.py"):
            for name in _imports(path):
                if name.partition(".")[0] not in allowed:
                    where = path.relative_to(root)
                    yield f"{where}: {name} is in no layer of {function.name}"


def _by_layer(root: Path) -> dict[str, set[str]]:
    groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    held = {}
    for group in ("http", "cloudflare", "kubernetes"):
        names = {Requirement(text).name for text in groups[group]}
        modules = {IMPORTED_AS.get(name, name) for name in names}
        held[f"{group.capitalize()}Layer"] = modules.union(*(ALONG.get(n, set()) for n in names))
    return held


def _reached(root: Path, start: Path) -> set[Path]:
    """Return the file and every module of ours that it imports, at any depth."""
    seen: set[Path] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += [found for name in _imports(path) for found in _own(root, name)]
    return seen


def _own(root: Path, name: str) -> Iterator[Path]:
    if name.partition(".")[0] == "tailkeeper":
        base = root / "layers" / "core" / name.replace(".", "/")
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                yield candidate


def _imports(path: Path) -> set[str]:
    """Return the modules that a file imports when it runs; those for type checking do not count."""
    tree = ast.parse(path.read_text())
    names: set[str] = set()
    for node in _running(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _running(child)
