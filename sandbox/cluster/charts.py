"""Helm charts that a GitOps tool would install: who asks, where to, with what values.

Charts are not rendered here. What a chart alone would create has to be stood in for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cluster.documents import documents


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
    """Yield the charts of Argo CD Applications and Flux HelmReleases.

    Nothing checks the fields of these kinds here, so what makes no sense in them is passed over.
    """
    for thing in objects:
        if thing["kind"] == "Application":
            yield from _of_application(thing)
        elif thing["kind"] == "HelmRelease":
            yield from _of_release(thing)


def _of_application(thing: Object) -> Iterator[Chart]:
    spec = _mapping(thing.get("spec"))
    target = _mapping(spec.get("destination")).get("namespace")
    several = spec.get("sources")
    for one in [spec.get("source"), *(several if isinstance(several, list) else [])]:
        source = _mapping(one)
        values = _argo_values(_mapping(source.get("helm")))
        yield from _chart(thing, source.get("chart"), target or "default", values)


def _of_release(thing: Object) -> Iterator[Chart]:
    spec = _mapping(thing.get("spec"))
    wanted = _mapping(_mapping(spec.get("chart")).get("spec")).get("chart")
    target = spec.get("targetNamespace") or thing["metadata"].get("namespace", "default")
    yield from _chart(thing, wanted, target, _mapping(spec.get("values")))


def _chart(thing: Object, name: Any, namespace: Any, values: dict[str, Any]) -> Iterator[Chart]:
    if name and isinstance(name, str) and isinstance(namespace, str):
        meta = thing["metadata"]
        source = f"{thing['kind']} {meta.get('namespace', 'default')}/{meta['name']}"
        yield Chart(name, source, namespace, values)


def _argo_values(helm: dict[str, Any]) -> dict[str, Any]:
    if helm.get("valuesObject"):
        return _mapping(helm["valuesObject"])
    text = helm.get("values")
    return _mapping(next(documents(text), None)) if isinstance(text, str) else {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
