"""What a source found: exposures, and what it left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.carriers.operated import Operated
    from tailkeeper.model import Exposure


@dataclass(frozen=True, slots=True)
class Report:
    """One object, or a part of it, that became no exposure, and why, in words with names.

    `kept` says that `hosts` are still asked for by an object that cannot be judged now: nothing
    of theirs may be deleted because of this read. What is not to be `told` is in order as it is.
    """

    source: str
    why: str
    hosts: tuple[str, ...] = ()
    kept: bool = False
    told: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the report as plans show it."""
        hosts = list(self.hosts)
        return {"source": self.source, "why": self.why, "hosts": hosts, "kept": self.kept}


@dataclass(frozen=True, slots=True)
class Discovery:
    """Exposures in the order of host and source; reports; what the operator carries, by its key.

    `partial` says why a kind of source, in lower case, was not read whole.
    """

    exposures: tuple[Exposure, ...] = ()
    reports: tuple[Report, ...] = ()
    operated: Mapping[str, Operated] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept_hosts(self) -> frozenset[str]:
        """Return the hosts of which this read proves nothing."""
        return frozenset(host for report in self.reports if report.kept for host in report.hosts)
