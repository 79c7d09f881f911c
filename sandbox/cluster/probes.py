"""The kubelet's probes of a CoreDNS container: `health` and `ready` answer, or nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.coredns import CoreDNS

PLUGINS = {"/health": "health", "/ready": "ready"}


@dataclass(frozen=True)
class Probe:
    """One probe, with Kubernetes' defaults; delays are in seconds of the world.

    `plugin` is the CoreDNS plugin that must be there for it to pass; without one it always does.
    """

    plugin: str = ""
    delay: float = 0.0
    period: float = 10.0
    failures: int = 3

    @classmethod
    def of(cls, container: Mapping[str, Any], kind: str) -> Probe:
        """Return a container's `livenessProbe` or `readinessProbe`."""
        spec = container.get(kind)
        if not isinstance(spec, dict):
            return cls()
        asked = spec.get("httpGet")
        return cls(
            PLUGINS.get(asked.get("path", ""), "") if isinstance(asked, dict) else "",
            spec.get("initialDelaySeconds") or 0.0,
            spec.get("periodSeconds") or 10.0,
            spec.get("failureThreshold") or 3,
        )

    def passes(self, coredns: CoreDNS) -> bool:
        """Say whether a running CoreDNS answers it."""
        return not self.plugin or any(self.plugin in b.directives for b in coredns.seen)
