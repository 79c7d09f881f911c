"""Helm charts that a GitOps tool would install: who asks, where to, with what values.

Charts are not rendered here. What a chart alone would create has to be stood in for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cluster.documents import Broken, documents


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Object = Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart's name, the object that installs it, the target namespace, the values given."""

    name: str
    source: str
    namespace: str
    values: Mapping[str, Any] = field(default_factory=dict)


def charts(objects: Iterable[Object]) -> Iterator[Chart]:
    """Yield the charts of Argo CD Applications and Flux HelmReleases."""
    for thing in objects:
        meta, spec = thing["metadata"], thing.get("spec") or {}
        source = f"{thing['kind']} {meta.get('namespace', 'default')}/{meta['name']}"
        if thing["kind"] == "Application":
            target = (spec.get("destination") or {}).get("namespace", "default")
            for one in [spec.get("source") or {}, *(spec.get("sources") or [])]:
                if one.get("chart"):
                    yield Chart(one["chart"], source, target, _argo_values(one.get("helm") or {}))
        elif thing["kind"] == "HelmRelease":
            wanted = ((spec.get("chart") or {}).get("spec") or {}).get("chart", "")
            target = spec.get("targetNamespace") or meta.get("namespace", "default")
            yield Chart(wanted, source, target, spec.get("values") or {})


def _argo_values(helm: Mapping[str, Any]) -> Mapping[str, Any]:
    if helm.get("valuesObject"):
        found: Mapping[str, Any] = helm["valuesObject"]
        return found
    for document in documents(helm.get("values") or ""):
        if isinstance(document, dict) and not isinstance(document, Broken):
            return document
    return {}
