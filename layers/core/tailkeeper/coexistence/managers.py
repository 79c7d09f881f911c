"""Field managers of Kubernetes objects, and how to tell the tool behind one to leave a key alone.

Names: `metadata.managedFields`. Remedies: Argo CD, "Diff Customization" and "Sync Options"; Flux,
"Kustomization", `kustomize.toolkit.fluxcd.io/ssa`, and "HelmRelease", drift detection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tailkeeper.config import ResolverConfig

OURS = "tailkeeper"


def owners(managed_fields: list[Mapping[str, Any]], key: str) -> list[dict[str, str]]:
    """Return who besides us owns a key of a ConfigMap's data, the newest first.

    Each is {manager, operation, time}.
    """
    found = sorted(_entries(managed_fields, key), key=lambda owner: owner["time"], reverse=True)
    return [owner for owner in found if owner["manager"] != OURS]


def _entries(managed_fields: list[Mapping[str, Any]], key: str) -> Iterator[dict[str, str]]:
    for entry in managed_fields:
        data = (entry.get("fieldsV1") or {}).get("f:data") or {}
        if f"f:{key}" in data:
            yield {part: entry.get(part) or "" for part in ("manager", "operation", "time")}


def remedy(manager: str, resolver: ResolverConfig) -> str:
    """Return what to configure, so that a tool or a person leaves the resolver's key alone."""
    if manager.startswith("argocd"):
        return (
            f"in its Application, ignoreDifferences of ConfigMap {resolver.config_map} at"
            f" /data/{resolver.key}, with the sync option RespectIgnoreDifferences=true"
        )
    if manager.startswith(("kustomize-controller", "flux")):
        return "annotate it in git with kustomize.toolkit.fluxcd.io/ssa: Ignore (or Merge)"
    if manager.startswith("helm"):
        return (
            "take it out of the chart, or annotate it with"
            " helm.toolkit.fluxcd.io/driftDetection: disabled"
        )
    if manager.startswith("kubectl"):
        return (
            f"ask who runs {manager.replace('-', ' ', 1)} in {resolver.namespace}: a person, a"
            " script or a job"
        )
    return "keep the key out of git (mode hosts), or find who writes it"
