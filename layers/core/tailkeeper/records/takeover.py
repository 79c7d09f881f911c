"""An ExternalDNS Deployment that a zone is taken over from: scaled to nothing, a change of its own.

The change is one of the `resolver` surface, since that is where clusters are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change


if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOYMENT = "deployment/"


def place_of(cluster: str) -> str:
    """Return the place of the changes of a cluster's Deployments."""
    return f"{cluster}/deployments"


def scaled_down(cluster: str, deployment: Mapping[str, Any]) -> Change:
    """Return the change that leaves an observed ExternalDNS without replicas."""
    key = f"{DEPLOYMENT}{deployment['namespace']}/{deployment['name']}"
    before = {"replicas": deployment["replicas"]}
    return Change("resolver", key, before, {"replicas": 0}, place=place_of(cluster))


def deployment_of(key: str) -> tuple[str, str]:
    """Return the namespace and the name of the Deployment that a change of this key scales."""
    namespace, _, name = key.removeprefix(DEPLOYMENT).partition("/")
    return namespace, name
