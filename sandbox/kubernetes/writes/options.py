"""What a write is aimed at, and how it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.kubernetes.kinds.resource import api_version


if TYPE_CHECKING:
    from sandbox.kubernetes.kinds.resource import Resource

STRICTNESS = ("Strict", "Warn", "Ignore")
PROPAGATION = ("Background", "Foreground", "Orphan")


@dataclass(frozen=True)
class Target:
    """An object, or with no name a collection, as a URL names it."""

    resource: Resource
    version: str
    namespace: str = ""
    name: str = ""

    @property
    def api_version(self) -> str:
        """Return group and requested version."""
        return api_version(self.resource.group, self.version)


@dataclass
class WriteOptions:
    """A write's query parameters; `warnings` collects what the answer's header will say.

    `strictness` is one of STRICTNESS, `subresource` "", "status" or "scale". `keep_status` lets
    a loader bring an object's status along.
    """

    manager: str = "unknown"
    dry_run: bool = False
    strictness: str = "Warn"
    force: bool = False
    subresource: str = ""
    keep_status: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DeleteOptions:
    """A delete's body; a precondition holds when it is empty or equal.

    `propagation` is one of PROPAGATION.
    """

    dry_run: bool = False
    propagation: str = "Background"
    uid: str = ""
    resource_version: str = ""
