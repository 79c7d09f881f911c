"""What the objects of one cluster are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import state_secrets


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tailkeeper.carriers.evidence import Secrets
    from tailkeeper.config import Config

    Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A cluster's Gateways, ListenerSets (by kind and key), namespace labels and state Secrets.

    `followed` are the configured Gateways; `aside` the Services that are a Gateway's or a
    resolver's own; `partial` the kinds read in part. `publishes` says whether a zone takes a name
    from an object with these annotations; `answers`, whether a zone or a resolver could hold it.
    """

    cluster: str
    gateways: Mapping[str, Object]
    listener_sets: Mapping[tuple[str, str], Object]
    followed: frozenset[str]
    aside: frozenset[str]
    namespaces: Mapping[str, Mapping[str, str]]
    secrets: Secrets
    partial: frozenset[str]
    publishes: Callable[[str, Mapping[str, str]], bool]
    answers: Callable[[str], bool]


def surroundings(cluster: Mapping[str, Any], config: Config) -> Surroundings:
    """Return the surroundings in a cluster reader's document."""
    objects, name = cluster["objects"], cluster["cluster"]
    # Parsed once: there may be 10,000 routes.
    filters = {zone.name: zone.filter for zone in config.zones}

    def publishes(host: str, annotations: Mapping[str, str]) -> bool:
        zone = config.zone_of(host)
        return zone is not None and filters[zone.name].matches(annotations)

    own = [c for c in config.clusters if c.name == name]
    return Surroundings(
        cluster=name,
        gateways={key_of(gateway): gateway for gateway in objects.get("Gateway", ())},
        listener_sets={
            (kind, key_of(item)): item
            for kind in ("ListenerSet", "XListenerSet")
            for item in objects.get(kind, ())
        },
        followed=frozenset(g.key for c in own for g in c.gateways),
        aside=frozenset(f"{r.namespace}/{r.service}" for c in own for r in c.resolvers),
        namespaces=_labels(objects.get("Namespace", ())),
        secrets=state_secrets(cluster),
        partial=frozenset(cluster.get("partial") or ()),
        publishes=publishes,
        answers=config.answers,
    )


def _labels(namespaces: Iterable[Object]) -> dict[str, Mapping[str, str]]:
    return {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}


def key_of(document: Object) -> str:
    """Return `<namespace>/<name>`."""
    meta = document["metadata"]
    return f"{meta.get('namespace') or ''}/{meta['name']}"
