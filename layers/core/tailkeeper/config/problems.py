"""What can be wrong with a configuration, and the checks of single values."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tailkeeper.hostnames import canonical


if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple["str | int", ...]


def spelled(path: Path) -> str:
    """Return a path as people write it: `clusters[0].gateways[1].device.tag`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "(the whole file)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, what, and what to do about it."""

    path: Path
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{spelled(self.path)} {self.what}: {self.remedy}"


class ConfigError(ValueError):
    """The configuration does not hold; `problems` are all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class UnfitError(ValueError):
    """A check's answer about one value: what is wrong with it, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}: {remedy}")


def dns_name(value: str) -> str:
    """Return a DNS name in canonical form; raise UnfitError if it is none."""
    if (name := canonical(value)) is None:
        raise UnfitError(f"is {value!r}", "write a DNS name such as example.com")
    return name


def address(value: str) -> str:
    """Return an IP address; raise UnfitError if it is none."""
    try:
        return str(ip_address(value))
    except ValueError:
        raise UnfitError(f"is {value!r}", "write an address such as 1.1.1.1") from None


def tag(value: str) -> str:
    """Return a tailnet tag; raise UnfitError unless it starts with `tag:`."""
    if not value.startswith("tag:"):
        raise UnfitError(f"is {value!r}", f"write it as tag:{value}")
    return value


def namespaced(value: str) -> str:
    """Return `namespace/name`; raise UnfitError if it is anything else."""
    namespace, slash, name = value.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UnfitError(f"is {value!r}", "write it as namespace/name")
    return value
