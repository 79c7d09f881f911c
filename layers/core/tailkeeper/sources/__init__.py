"""Where exposures come from: one module per kind of source, put together here.

    routes      HTTP, gRPC, TLS, TCP and UDPRoutes of the followed Gateways
    operator    Services, Ingresses and ProxyGroups that the Tailscale operator carries by itself
    declared    the configuration

`discover` asks each of them about one cluster, and sorts what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.operated import Operated
from tailkeeper.model import Exposure
from tailkeeper.sources.declared import declared
from tailkeeper.sources.operator import KINDS as OPERATED
from tailkeeper.sources.operator import read_operated
from tailkeeper.sources.reports import Discovery, Report
from tailkeeper.sources.routes import AROUND, read_route
from tailkeeper.sources.routes import KINDS as ROUTES
from tailkeeper.sources.surroundings import surroundings


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.config import Config
    from tailkeeper.sources.surroundings import Surroundings

    Found = Exposure | Report | Operated

__all__ = ["Discovery", "Report", "declared", "discover"]


def discover(cluster: Mapping[str, Any], config: Config) -> Discovery:
    """Return what one cluster's observation exposes, beside what the configuration declares.

    `cluster` is the reader's document: `cluster`, `partial` and `objects` by kind.
    """
    around = surroundings(cluster, config)
    found = list(_found(cluster, around))
    exposures = (item for item in found if isinstance(item, Exposure))
    reports = (item for item in found if isinstance(item, Report))
    operated = (item for item in found if isinstance(item, Operated))
    return Discovery(
        exposures=tuple(sorted(exposures, key=lambda e: (e.host, e.source, e.gateway or ""))),
        reports=tuple(sorted(reports, key=lambda r: (r.source, r.why, r.hosts))),
        operated={item.key: item for item in operated},
        partial=_partial(cluster.get("partial") or {}, routes=bool(around.followed)),
    )


def _found(cluster: Mapping[str, Any], around: Surroundings) -> Iterator[Found]:
    objects = cluster["objects"]
    for kind in ROUTES:
        for route in objects.get(kind, ()):
            yield from read_route(kind, route, around)
    for kind in OPERATED:
        for document in objects.get(kind, ()):
            yield from read_operated(kind, document, around)


def _partial(partial: Mapping[str, str], *, routes: bool) -> dict[str, str]:
    """Return why a source is not read whole: by the kind of its objects, in lower case.

    Where no Gateway is followed, routes expose nothing, read or not.
    """
    deciding: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in OPERATED}
    if routes:
        deciding |= {kind: (kind, *AROUND) for kind in ROUTES}
    return {
        kind.lower(): "; ".join(f"{read}: {partial[read]}" for read in kinds if read in partial)
        for kind, kinds in deciding.items()
        if any(read in partial for read in kinds)
    }
