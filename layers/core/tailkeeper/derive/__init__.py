"""A configuration derived from what a directory of Kubernetes objects says already.

    gateways      Gateway, GatewayClass, EnvoyProxy, Service: who carries them on the tailnet
    resolvers     CoreDNS workload, its ConfigMap, the Service that the tailnet reaches
    external_dns  zones: owner, policy, filters and mark names of an ExternalDNS

What could not be derived is said in `notes`, never guessed silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

from tailkeeper.config import ClusterConfig, Config, ConfigError
from tailkeeper.derive.external_dns import derive_zones
from tailkeeper.derive.gateways import derive_gateways, target_annotation
from tailkeeper.derive.inventory import Inventory
from tailkeeper.derive.resolvers import derive_resolvers


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tailkeeper.config import GatewayConfig

__all__ = ["Derived", "derive"]


@dataclass(frozen=True, slots=True)
class Derived:
    """The configuration, and in words what a person should know about it."""

    config: Config
    notes: tuple[str, ...]


def derive(
    objects: Iterable[Mapping[str, Any]],
    parse_yaml: Callable[[str], Any],
    *,
    cluster: str = "cluster",
    take_over: bool = False,
) -> Derived:
    """Return the configuration that a directory's parsed objects ask for.

    `parse_yaml` reads Helm values that stand there as text and raises ValueError on nonsense;
    `cluster` names the cluster; `take_over` approves suspending the writers that are found.
    """
    inventory = Inventory(objects, parse_yaml)
    gateways = tuple(derive_gateways(inventory))
    followed = [g for g in inventory.by_kind["Gateway"] if _is_among(g, gateways)]
    resolvers = tuple(derive_resolvers(inventory, take_over=take_over))
    zones = derive_zones(
        inventory,
        target=_target(followed),
        served=_served(followed),
        take_over=take_over,
    )
    clusters = (ClusterConfig(cluster, gateways, resolvers),)
    config = _checked(Config(clusters=clusters, zones=tuple(zones)), inventory.notes)
    return Derived(config, tuple(dict.fromkeys(inventory.notes)))


def _checked(config: Config, notes: list[str]) -> Config:
    """Return the configuration without the elements that a person would have to mend."""
    document = config.as_json()
    try:
        return Config.from_json(document)
    except ConfigError as error:
        notes += [f"left out, because {problem}" for problem in error.problems]
        # From the last to the first, so that each path still leads where it did.
        for path in sorted({_element(problem.path) for problem in error.problems}, reverse=True):
            *around, place = path
            reduce(getitem, around, document).pop(place)
    return Config.from_json(document)


def _element(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the path of the gateway, resolver or zone that a path leads into."""
    return path[:4] if path[0] == "clusters" else path[:2]


def _is_among(gateway: Mapping[str, Any], configured: tuple[GatewayConfig, ...]) -> bool:
    meta = gateway["metadata"]
    key = f"{meta.get('namespace') or 'default'}/{meta['name']}"
    return any(item.key == key for item in configured)


def _target(gateways: Iterable[Mapping[str, Any]]) -> str:
    """Return what ExternalDNS writes for these Gateways: a name if they are given one.

    Without a Gateway it is a name, too: addresses in public are for a person to choose.
    """
    given = [target_annotation(gateway) for gateway in gateways]
    named = any(target.endswith(".ts.net") for targets in given for target in targets)
    return "cname" if named or not given else "address"


def _served(gateways: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the domains of the listeners' wildcards."""
    for gateway in gateways:
        for listener in (gateway.get("spec") or {}).get("listeners") or ():
            if (listener.get("hostname") or "").startswith("*."):
                yield listener["hostname"].removeprefix("*.")
