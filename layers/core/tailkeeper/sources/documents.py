"""Plain Kubernetes objects, brought to the form of a cluster reader's observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.trims import MEANT, TRIMS, trimmed


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Object = Mapping[str, Any]

CLUSTER_WIDE = frozenset({"Namespace", "ProxyGroup"})
READ_AS = {"Secret": "StateSecret", "Deployment": "ExternalDNS"}
"""The kinds of which only some are read, and as what."""


def observation_of(
    name: str, objects: Iterable[Object], partial: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the observation of a cluster that holds these objects, each with kind and status.

    An object without a namespace is of `default`, as kubectl has it. A Secret counts when it is a
    proxy's, a Deployment when it runs ExternalDNS.
    """
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in objects:
        kind: str = READ_AS.get(item["kind"]) or item["kind"]
        placed = item if kind in CLUSTER_WIDE else _placed(item)
        if _is_meant(kind, placed):
            by_kind.setdefault(kind, []).append(TRIMS.get(kind, trimmed)(placed))
    return {"cluster": name, "objects": by_kind, "partial": dict(partial or {})}


def _placed(item: Object) -> Object:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "namespace": metadata.get("namespace") or "default"}}


def _is_meant(kind: str, item: Object) -> bool:
    labels = item["metadata"].get("labels") or {}
    if kind == "StateSecret":
        return bool(labels.get("tailscale.com/managed") == "true")
    return MEANT.get(kind, bool)(item)
