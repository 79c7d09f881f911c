"""Exposures that a person wrote into the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailkeeper.model import Exposure


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.config import Config


def declared(config: Config) -> Iterator[Exposure]:
    """Yield the exposures that the configuration declares."""
    for item in config.exposures:
        cluster = config.cluster_of(item) if item.carrier else None
        yield Exposure(
            host=item.host,
            source=f"config/exposures/{item.host}",
            cluster=cluster.name if cluster else "",
            gateway=item.carrier,
            views=item.views,
            port=item.port,
            protocol=item.protocol,
            target=None if item.carrier else item.target,
            published="public" in item.views and config.zone_of(item.host) is not None,
            answer=item.answer,
        )
