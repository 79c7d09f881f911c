"""`python -m tailkeeper.sources < case.json`: what a cluster's objects expose (docs/documents.md).

Exits with 64 and a sentence on standard error when the case cannot be read.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tailkeeper.config import ClusterConfig, Config, GatewayConfig
from tailkeeper.doors import serve
from tailkeeper.evidence import gateway_evidence, state_secrets
from tailkeeper.operated_evidence import operated_evidence
from tailkeeper.sources import declared, discover
from tailkeeper.sources.documents import observation_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.evidence import Evidence
    from tailkeeper.model import Exposure
    from tailkeeper.sources.reports import Discovery

UNNAMED = "cluster"


def answer(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a case's objects, and its configuration, expose.

    Raises ConfigError, or KeyError and TypeError where a document is not shaped as its kind.
    """
    name = case.get("cluster") or UNNAMED
    observed = observation_of(name, case.get("objects") or (), case.get("partial"))
    config = _config(case.get("config"), observed)
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


def shaped(case: Any) -> dict[str, Any]:
    """Return the answer to a case; raise ValueError, in words, for one that cannot be read."""
    try:
        return answer(case)
    except (KeyError, TypeError, AttributeError) as error:
        words = "the case has an object that is not shaped as its kind"
        raise ValueError(f"{words}: {error!r}") from error


if __name__ == "__main__":
    sys.exit(serve(shaped))
