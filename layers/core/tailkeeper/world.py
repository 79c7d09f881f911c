"""The world as one run saw it, and what follows from that alone: exposures, devices, ghosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.gateways import GatewayDevice, Refusal, ghosts, unsettled
from tailkeeper.carriers.identity import identify
from tailkeeper.carriers.lookup import Subject, subjects_of
from tailkeeper.carriers.tailnet import Tailnet
from tailkeeper.git.remembering import ahead_of
from tailkeeper.records.mark_edits import texts_by_name
from tailkeeper.records.surface import Held, held_by_name
from tailkeeper.sources import Discovery, declared, discover


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tailkeeper.coexistence.ledger import Line
    from tailkeeper.config import ClusterConfig, Config, ResolverConfig
    from tailkeeper.decisions.decision import Decision
    from tailkeeper.git.foresight import Foresight
    from tailkeeper.model import Exposure


@dataclass(frozen=True)
class Memory:
    """What earlier runs leave behind.

    `carriers` maps a gateway or resolver Service to {nodes, answers}: the node ids that were its,
    newest first, and the names and addresses that it answered. `missing_since` is the guard's;
    `ledgers` hold, by place and key, what we wrote last. By branch, `commits` are the last ones
    with their sources, `pending` the names that they took away.
    """

    carriers: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    missing_since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    ledgers: Mapping[str, Mapping[str, Line]] = field(default_factory=dict)
    commits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pending: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def line(self, place: str, key: str) -> Line | None:
        """Return what we wrote last to a key, None when we never did."""
        return self.ledgers.get(place, {}).get(key)

    def nodes(self, key: str) -> tuple[str, ...]:
        """Return the node ids that were this carrier's, the newest first."""
        return tuple(self.carriers.get(key, {}).get("nodes", ()))

    def answers(self, key: str) -> frozenset[str]:
        """Return every name and address that this carrier has answered."""
        return frozenset(self.carriers.get(key, {}).get("answers", ()))


@dataclass(frozen=True)
class World:
    """What was observed, as the readers' documents, and what a person configured and decided.

    `decisions` are those that stand, by digest; `approved` are digests let through besides;
    `pending` names, by host, the commit that took it away; `foresight` is what the run's own
    commits foresee.
    """

    config: Config
    tailnet_document: Mapping[str, Any]
    clusters: Mapping[str, Mapping[str, Any]]
    zones: Mapping[str, Mapping[str, Any]]
    resolvers: Mapping[str, Mapping[str, Any]]
    memory: Memory = field(default_factory=Memory)
    event_nodes: frozenset[str] = frozenset()
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    pending: Mapping[str, str] = field(default_factory=dict)
    foresight: Foresight | None = None

    @cached_property
    def tailnet(self) -> Tailnet:
        """Return the tailnet as its reader saw it."""
        return Tailnet(self.tailnet_document)

    @cached_property
    def discoveries(self) -> Mapping[str, Discovery]:
        """Return what each cluster exposes."""
        return {name: discover(document, self.config) for name, document in self.clusters.items()}

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """Return every exposure, the declared ones too."""
        found = (e for discovery in self.discoveries.values() for e in discovery.exposures)
        early = self.foresight.early if self.foresight else ()
        return (*found, *declared(self.config), *early)

    @cached_property
    def held(self) -> Mapping[str, Mapping[str, Held]]:
        """Return what each zone's names hold, by zone and name."""
        return {
            zone.name: held_by_name(zone, self.zones[zone.name]["records"])
            for zone in self.config.zones
        }

    @cached_property
    def subjects(self) -> Mapping[str, Subject]:
        """Return what is to be identified, by `<cluster>/<key>`."""
        return {
            f"{cluster.name}/{subject.key}": subject
            for cluster in self.config.clusters
            for subject in subjects_of(
                cluster,
                self.clusters[cluster.name],
                self.discoveries[cluster.name].operated,
                (e.gateway for e in self.exposures if e.gateway and e.cluster == cluster.name),
            )
        }

    @cached_property
    def texts(self) -> Mapping[str, Mapping[str, list[Mapping[str, Any]]]]:
        """Return each zone's TXT records, by zone and name."""
        return {name: texts_by_name(zone["records"]) for name, zone in self.zones.items()}

    @cached_property
    def carriers(self) -> Mapping[str, GatewayDevice | Refusal]:
        """Return the device of each gateway, resolver and operated object, as `subjects`."""
        return {
            key: identify(
                subject.evidence, subject.configured, self.tailnet, self.memory.nodes(key)
            )
            for key, subject in self.subjects.items()
        }

    @cached_property
    def unsettled(self) -> tuple[str, ...]:
        """Return why it is worth observing again before anything is refused.

        What has only a name of the tailnet's own is never written, so nothing waits for it.
        """
        written = {
            f"{e.cluster}/{e.gateway}" for e in self.exposures if self.config.answers(e.host)
        }
        return tuple(
            reason
            for key, subject in self.subjects.items()
            if (key in written or not subject.operated) and not subject.evidence.unread
            for reason in unsettled(subject.evidence, subject.asked, self.tailnet, self.event_nodes)
        )

    @cached_property
    def ghosts(self) -> tuple[str, ...]:
        """Return the offline twins of the gateways' devices, in words."""
        mend = (
            "; deleting it is beyond undo, so that is for a person to do"
            if self.config.ghosts == "remove"
            else ""
        )
        return tuple(
            f"{twin} is an offline twin of {key}'s device{mend}"
            for cluster in self.config.clusters
            for gateway in cluster.gateways
            for key in [f"{cluster.name}/{gateway.key}"]
            for twin in ghosts(gateway.device, self.carriers[key], self.tailnet)
        )

    @cached_property
    def kept(self) -> frozenset[str]:
        """Return the hosts of which this read proves nothing."""
        return ahead_of(self).union(*(d.kept_hosts for d in self.discoveries.values()))

    @cached_property
    def partial(self) -> Mapping[str, str]:
        """Return why a source was not read whole, by `<kind>` and `<cluster>/<kind>`."""
        return {
            key: why
            for name, discovery in self.discoveries.items()
            for kind, why in discovery.partial.items()
            for key in (kind, f"{name}/{kind}")
        }


def carrier_of(cluster: ClusterConfig, config: ResolverConfig) -> str:
    """Return the key of a resolver's Service among the carriers."""
    return f"{cluster.name}/{config.namespace}/{config.service}"


def place_of(cluster: ClusterConfig, config: ResolverConfig) -> str:
    """Return the place of a resolver's document."""
    return f"{cluster.name}/{config.place}"


def resolvers_of(config: Config) -> Iterator[tuple[ClusterConfig, ResolverConfig]]:
    """Yield every configured resolver with its cluster."""
    for cluster in config.clusters:
        for resolver in cluster.resolvers:
            yield cluster, resolver
