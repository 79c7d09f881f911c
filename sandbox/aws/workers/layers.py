"""Folders that hold exactly the distributions of one dependency group, as a built layer would.

A layer that is built by its makefile (`uv pip install --target …`) is not built for the sandbox:
its folder is made of links into this interpreter's own site-packages, so that byte code is shared
and a function without the layer cannot import what the layer brings.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[3]
CACHE = ROOT / "build" / "sandbox-layers"
# Lambda's Python runtime brings these, so layers leave them out (pyproject.toml says so there).
RUNTIME_PACKAGES = ("boto3", "awslambdaric")
SKIPPED = frozenset({"..", "__pycache__"})


@cache
def group_folder(pyproject: Path, group: str) -> Path | None:
    """Return the folder of a dependency group; None when pyproject.toml has no such group."""
    groups = tomllib.loads(pyproject.read_text())["dependency-groups"]
    if group not in groups:
        return None
    wanted = [r for r in _requirements(groups, group) if r.name not in RUNTIME_PACKAGES]
    return _folder(group, closure(wanted))


@cache
def runtime_folder() -> Path:
    """Return the folder of what Lambda's own runtime brings: its client and boto3."""
    present = [Requirement(name) for name in RUNTIME_PACKAGES if _distribution(name)]
    return _folder("runtime", closure(present))


def has_awslambdaric() -> bool:
    """Return whether AWS's own runtime client has a wheel for this machine."""
    return _distribution("awslambdaric") is not None


def closure(wanted: Iterable[Requirement]) -> dict[str, metadata.Distribution]:
    """Return the installed distributions that requirements bring, by normalised name.

    Raise metadata.PackageNotFoundError when one is not installed.
    """
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, str]] = set()
    queue = [(r, "") for r in wanted]
    while queue:
        requirement, extra = queue.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = _normal(requirement.name)
        distribution = found.setdefault(name, metadata.distribution(name))
        for each in sorted({"", *requirement.extras}):
            if (name, each) not in seen:
                seen.add((name, each))
                queue += [(Requirement(text), each) for text in distribution.requires or []]
    return found


def _requirements(groups: dict[str, list[Any]], group: str) -> Iterator[Requirement]:
    for entry in groups[group]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from _requirements(groups, entry["include-group"])


def _folder(name: str, distributions: dict[str, metadata.Distribution]) -> Path:
    """Return the folder of these very versions, made on the first use."""
    versions = [f"{n}=={d.version}" for n, d in sorted(distributions.items())]
    place = [sys.prefix, sys.version, *versions]
    digest = hashlib.sha256("\n".join(place).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=CACHE, prefix=f".{name}-"))
        _fill(building, list(distributions.values()))
        try:
            building.rename(folder)
        except OSError:  # somebody else was faster
            shutil.rmtree(building)
    return folder


def _fill(folder: Path, distributions: Sequence[metadata.Distribution]) -> None:
    """Link whole packages, but a namespace shared with somebody else file by file."""
    names = {distribution.name for distribution in distributions}
    others = (d for d in metadata.distributions() if d.name not in names)
    theirs = {_top(path) for distribution in others for path in _files(distribution)}
    for distribution in distributions:
        for path in _files(distribution):
            link = folder / (path if _top(path) in theirs else _top(path))
            if not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                place = distribution.locate_file(link.relative_to(folder).as_posix())
                link.symlink_to(str(place))


def _files(distribution: metadata.Distribution) -> Iterator[str]:
    """Yield the distribution's paths: `Distribution.files` takes two seconds for ours."""
    for line in (distribution.read_text("RECORD") or "").splitlines():
        path = line.split(",", 1)[0]
        if _top(path) not in SKIPPED and not path.endswith((".pth", ".pyc")):
            yield path


def _top(path: str) -> str:
    return path.split("/", 1)[0]


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
