"""`python -m tailkeeper.sources < case.json`: what a cluster's objects expose (docs/documents.md).

Exits with 64 and sentences on standard error when a case cannot be read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import gateway_evidence, state_secrets
from tailkeeper.carriers.operated_evidence import operated_evidence
from tailkeeper.config import ClusterConfig, Config, ConfigError, GatewayConfig, Problem
from tailkeeper.config.reading import Section
from tailkeeper.doors.filter import serve
from tailkeeper.shapes import flattened, misshapen
from tailkeeper.sources import declared, discover
from tailkeeper.sources.documents import observation_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailkeeper.carriers.evidence import Evidence
    from tailkeeper.model import Exposure
    from tailkeeper.sources.reports import Discovery

UNNAMED = "cluster"


def answer(case: Any) -> dict[str, Any]:
    """Return what a case's objects, and its configuration, expose.

    Raises ValueError, in words, for a case that cannot be read.
    """
    observed = _observed(case)
    config = _config(case.get("config"), observed)
    try:
        return _found(observed, config)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        words = "the case has an object that is not shaped as its kind"
        raise ValueError(f"{words}: {error!r}") from error


def _found(observed: Mapping[str, Any], config: Config) -> dict[str, Any]:
    found = discover(observed, config)
    exposures = [*found.exposures, *declared(config)]
    return {
        "exposures": [
            {**exposure.as_json(), "targets": _targets(exposure, observed, found)}
            for exposure in exposures
        ],
        "reports": [report.as_json() for report in found.reports],
        "partial": dict(found.partial),
    }


def _observed(case: Any) -> dict[str, Any]:
    """Return what was observed, by a case; raise ConfigError with all that is wrong with it."""
    problems: list[Problem] = []
    section = Section(case, (), problems)
    name = section.text("cluster", UNNAMED)
    partial = section.section("partial")
    unread = {kind: partial.text(kind, like="timed out") for kind in partial.keys}
    section.section("config")
    objects = [thing for each in section.values("objects") for thing in flattened(each)]
    problems += _misshapen(objects)
    section.finish()
    if problems:
        raise ConfigError(problems)
    return observation_of(name, objects, unread)


def _misshapen(objects: list[Any]) -> Iterator[Problem]:
    """Yield what is no object; the objects of a List are counted as if they stood in its place."""
    for place, thing in enumerate(objects):
        kind = thing.get("kind") if isinstance(thing, Mapping) else None
        if not isinstance(kind, str):
            remedy = "write it as kubectl get -o json does"
            yield Problem(("objects", place), "is no object with a kind", remedy)
        elif why := misshapen(thing):
            yield Problem(("objects", place), f"is no {kind}", why)


def _config(document: Any, observed: Mapping[str, Any]) -> Config:
    """Return the configuration; a cluster of which it says nothing follows all its Gateways."""
    config = Config.from_json(document or {})
    if any(cluster.name == observed["cluster"] for cluster in config.clusters):
        return config
    gateways = tuple(
        GatewayConfig(item["metadata"]["namespace"], item["metadata"]["name"])
        for item in observed["objects"].get("Gateway", ())
    )
    return replace(
        config, clusters=(*config.clusters, ClusterConfig(observed["cluster"], gateways))
    )


def _targets(exposure: Exposure, observed: Mapping[str, Any], found: Discovery) -> list[str]:
    """Return what ExternalDNS would answer: the written target, else what the status says."""
    if exposure.target:
        return exposure.target.split(",")
    evidence = _evidence(exposure.gateway or "", observed, found)
    said = (*evidence.statuses, *evidence.copies) if evidence else ()
    return sorted({value for status in said for value in (*status.addresses, *status.names)})


def _evidence(carrier: str, observed: Mapping[str, Any], found: Discovery) -> Evidence | None:
    if item := found.operated.get(carrier):
        return operated_evidence(observed, item, state_secrets(observed))
    namespace, slash, name = carrier.partition("/")
    return gateway_evidence(observed, namespace, name) if slash and "/" not in name else None


if __name__ == "__main__":
    sys.exit(serve(answer))
