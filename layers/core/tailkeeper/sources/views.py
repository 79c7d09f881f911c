"""Which views get a name of a cluster object."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from tailkeeper.sources.annotations import Annotations
    from tailkeeper.sources.surroundings import Surroundings


def views_of(host: str, said: Annotations, around: Surroundings) -> tuple[tuple[str, ...], bool]:
    """Return the views of a name, and whether the zone is one that publishes it.

    The filter decides about the zone; the tailnet answers for every name.
    """
    published = "public" in said.views and not said.elsewhere and around.publishes(host, said.all)
    return tuple(view for view in said.views if published or view != "public"), published
