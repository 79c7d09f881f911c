"""How moto is repaired: each attribute that is replaced must exist, each one added must not.

An upgrade of moto therefore fails loudly here, and never quietly keeps or drops a repair.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable


_replaced: dict[tuple[int, str], Any] = {}


class MotoChangedError(AssertionError):
    """moto is no longer what a repair was written for."""


def replace(owner: object, name: str, new: Any) -> None:
    """Put `new` in the place of `owner.name`; `original` still returns what was there."""
    if name not in vars(owner):
        raise MotoChangedError(f"{owner!r} has no {name} to repair")
    _replaced.setdefault((id(owner), name), vars(owner)[name])
    setattr(owner, name, new)


def add(owner: object, name: str, new: Any) -> None:
    """Give `owner` something that moto does not have yet."""
    if getattr(owner, name, new) is not new:
        raise MotoChangedError(f"{owner!r} has a {name} of its own by now")
    setattr(owner, name, new)


def original(owner: object, name: str) -> Any:
    """Return what `replace` put aside, as moto wrote it."""
    found = _replaced.get((id(owner), name), vars(owner).get(name))
    return found.__func__ if isinstance(found, staticmethod | classmethod) else found


def once(repair: Callable[[], None]) -> Callable[[], None]:
    """Make a repair do nothing the second time."""
    done = False

    def repair_once() -> None:
        nonlocal done
        if not done:
            repair()
            done = True

    return repair_once


def moto_module(path: str) -> Any:
    """Import a module of moto's by its path below `moto.`; Any, because it ships no types."""
    return importlib.import_module(f"moto.{path}")
