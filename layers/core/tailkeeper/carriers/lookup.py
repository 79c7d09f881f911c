"""Who carries what: the device of every gateway, resolver, and object that the operator carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import gateway_evidence, service_evidence, state_secrets
from tailkeeper.carriers.operated_evidence import operated_evidence, unseen_evidence
from tailkeeper.config import DeviceName


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailkeeper.carriers.evidence import Evidence
    from tailkeeper.carriers.operated import Operated
    from tailkeeper.config import ClusterConfig


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be identified: its key, what the cluster says of it, how its device is called.

    `configured` is what a person wrote, which alone may stand in for the cluster; `asked` is what
    an `operated` object asks the operator for.
    """

    key: str
    evidence: Evidence
    configured: DeviceName | None = None
    asked: DeviceName | None = None
    operated: bool = False


def subjects_of(
    config: ClusterConfig,
    document: Mapping[str, Any],
    operated: Mapping[str, Operated],
    wanted: Iterable[str],
) -> Iterator[Subject]:
    """Yield the subjects of one cluster.

    `operated` are the objects that the operator carries, by key; `wanted` the carriers of
    exposures, of which some may not be there.
    """
    for gateway in config.gateways:
        evidence = gateway_evidence(document, gateway.namespace, gateway.name)
        yield Subject(gateway.key, evidence, gateway.device, gateway.device)
    for resolver in config.resolvers:
        evidence = service_evidence(document, resolver.namespace, resolver.service)
        key = f"{resolver.namespace}/{resolver.service}"
        yield Subject(key, evidence, resolver.device, resolver.device)
    secrets = state_secrets(document)
    for key, item in operated.items():
        asked = DeviceName(item.hostname, "")
        yield Subject(key, operated_evidence(document, item, secrets), None, asked, operated=True)
    followed = {gateway.key for gateway in config.gateways}
    for key in sorted(set(wanted) - operated.keys() - followed):
        yield Subject(key, unseen_evidence(document, key), operated=True)
