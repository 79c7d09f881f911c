"""Where exposures come from: one module per kind of source, put together here.

A source is a module with `READS`, the kinds that decide about it, and a function that yields
exposures and reports; `discover` asks each of them and sorts what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.model import Exposure
from tailkeeper.sources import httproute
from tailkeeper.sources.httproute import Surroundings
from tailkeeper.sources.reports import Discovery, Report


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.config import Config

__all__ = ["Discovery", "Report", "declared", "discover"]


def discover(cluster: Mapping[str, Any], config: Config) -> Discovery:
    """Return what one cluster's observation exposes, beside what the configuration declares.

    `cluster` is the reader's document: `cluster`, `partial` and `objects` by kind.
    """
    around = _surroundings(cluster, config)
    found: list[Exposure | Report] = []
    for route in cluster["objects"].get("HTTPRoute", ()):
        found += httproute.read_route(route, around)
    exposures = [item for item in found if isinstance(item, Exposure)]
    partial = cluster.get("partial") or {}
    return Discovery(
        exposures=tuple(sorted(exposures, key=lambda e: (e.host, e.source, e.gateway or ""))),
        reports=tuple(item for item in found if isinstance(item, Report)),
        partial=tuple(f"{kind}: {partial[kind]}" for kind in httproute.READS if kind in partial),
    )


def declared(config: Config) -> Iterator[Exposure]:
    """Yield the exposures that a person wrote into the configuration."""
    for item in config.exposures:
        yield Exposure(
            host=item.host,
            source=f"config/exposures/{item.host}",
            views=item.views,
            port=item.port,
            protocol=item.protocol,
            target=item.target,
            published="public" in item.views and config.zone_of(item.host) is not None,
        )


def _surroundings(cluster: Mapping[str, Any], config: Config) -> Surroundings:
    objects, name = cluster["objects"], cluster["cluster"]
    # Parsed once: there may be 10,000 routes.
    filters = {zone.name: zone.filter for zone in config.zones}

    def publishes(host: str, annotations: Mapping[str, str]) -> bool:
        zone = config.zone_of(host)
        return zone is not None and filters[zone.name].matches(annotations)

    return Surroundings(
        cluster=name,
        gateways={_key(gateway): gateway for gateway in objects.get("Gateway", ())},
        followed=frozenset(g.key for c in config.clusters if c.name == name for g in c.gateways),
        namespaces={
            item["metadata"]["name"]: item["metadata"].get("labels") or {}
            for item in objects.get("Namespace", ())
        },
        partial=frozenset(cluster.get("partial") or ()),
        publishes=publishes,
    )


def _key(document: Mapping[str, Any]) -> str:
    meta = document["metadata"]
    return f"{meta['namespace']}/{meta['name']}"
