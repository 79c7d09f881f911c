"""The configuration: one file, read whole or not at all, stored as JSON in SSM.

`Config.from_json` reads a document and raises one ConfigError with every problem in it;
`as_json` returns a document that reads back equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailkeeper.config.credentials import Credential, Place
from tailkeeper.config.documents import document_of
from tailkeeper.config.duties import (
    Bridge,
    Budgets,
    DeclaredExposure,
    GuardLimits,
    Repository,
)
from tailkeeper.config.places import (
    ClusterConfig,
    DeviceName,
    GatewayConfig,
    ResolverConfig,
    ZoneConfig,
)
from tailkeeper.config.problems import ConfigError, Problem, spelled
from tailkeeper.config.reading import Section
from tailkeeper.hostnames import within, zone_of


if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Bridge",
    "Budgets",
    "ClusterConfig",
    "Config",
    "ConfigError",
    "Credential",
    "DeclaredExposure",
    "DeviceName",
    "GatewayConfig",
    "GuardLimits",
    "Place",
    "Problem",
    "Repository",
    "ResolverConfig",
    "ZoneConfig",
    "spelled",
]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a person decides; see design.md, section 10, for the file."""

    tailnet: str = "-"
    clusters: tuple[ClusterConfig, ...] = ()
    zones: tuple[ZoneConfig, ...] = ()
    exposures: tuple[DeclaredExposure, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    repositories: tuple[Repository, ...] = ()
    credentials: tuple[Credential, ...] = ()
    guard: GuardLimits = field(default_factory=GuardLimits)
    budgets: Budgets = field(default_factory=Budgets)
    ghosts: str = "report"

    @classmethod
    def from_json(cls, document: Any) -> Config:
        """Read a document; raise ConfigError, with every problem, if anything is wrong."""
        problems: list[Problem] = []
        section = Section(document, (), problems)
        config = cls._read(section)
        section.finish()
        _compare(config, section)
        if problems:
            raise ConfigError(problems)
        return config

    @classmethod
    def _read(cls, section: Section) -> Config:
        return cls(
            tailnet=section.text("tailnet", "-"),
            clusters=tuple(map(ClusterConfig.read, section.sections("clusters"))),
            zones=tuple(map(ZoneConfig.read, section.sections("zones"))),
            exposures=tuple(map(DeclaredExposure.read, section.sections("exposures"))),
            bridges=tuple(map(Bridge.read, section.sections("bridges"))),
            repositories=tuple(map(Repository.read, section.sections("repositories"))),
            credentials=tuple(map(Credential.read, section.sections("credentials"))),
            guard=GuardLimits.read(section.section("guard")),
            budgets=Budgets.read(section.section("budgets")),
            ghosts=section.choice("ghosts", ("report", "remove"), "report"),
        )

    def answers(self, host: str) -> bool:
        """Return whether a zone or a resolver could hold the name at all."""
        resolvers = (resolver for cluster in self.clusters for resolver in cluster.resolvers)
        domains = (domain for resolver in resolvers for domain in resolver.domains)
        return self.zone_of(host) is not None or any(within(host, domain) for domain in domains)

    def repositories_of(self, provider: str, name: str, branch: str) -> tuple[Repository, ...]:
        """Return what is configured of a branch, as webhooks write it; "" is any branch."""
        return tuple(
            repository
            for repository in self.repositories
            if repository.name.lower() == name.lower()
            and branch in {"", repository.branch}
            and _same_host(repository.provider, provider)
        )

    def cluster_applying(self, repository: Repository) -> str:
        """Return the name of the cluster that applies a repository, "" when there is none."""
        return repository.cluster or next((cluster.name for cluster in self.clusters), "")

    def zone_of(self, host: str) -> ZoneConfig | None:
        """Return the zone that holds a canonical name, the longest one, or None."""
        name = zone_of(host, (zone.name for zone in self.zones))
        return next((zone for zone in self.zones if zone.name == name), None)

    def cluster_of(self, exposure: DeclaredExposure) -> ClusterConfig | None:
        """Return the cluster of a declared exposure's target: the one it names, or the only one."""
        if not exposure.cluster:
            return self.clusters[0] if len(self.clusters) == 1 else None
        return next((c for c in self.clusters if c.name == exposure.cluster), None)

    def as_json(self) -> dict[str, Any]:
        """Return the configuration as a JSON document, in the file's own words."""
        return document_of(self)


def _same_host(one: str, other: str) -> bool:
    """Say whether two names are one provider: a Forgejo may be taken for the Gitea it was."""
    return one == other or {one, other} == {"gitea", "forgejo"}


def _compare(config: Config, section: Section) -> None:
    """Blame what is right alone and wrong together: doubles, and names without a place."""
    _refuse_doubles(section, "zones", (zone.name for zone in config.zones))
    _refuse_doubles(section, "clusters", (cluster.name for cluster in config.clusters))
    _refuse_doubles(section, "credentials", (item.name for item in config.credentials))
    _place_repositories(config, section)
    for place, cluster in enumerate(config.clusters):
        below = Section({}, ("clusters", place), section.problems)
        _refuse_doubles(below, "gateways", (gateway.key for gateway in cluster.gateways))
        _refuse_doubles(below, "resolvers", (resolver.place for resolver in cluster.resolvers))
    for place, exposure in enumerate(config.exposures):
        if exposure.host and not config.answers(exposure.host):
            remedy = "add its domain to zones or to a resolver's domains"
            section.blame(("exposures", place, "host"), "has no zone and no resolver", remedy)
        _check_carrier(config, section, place, exposure)


def _check_carrier(
    config: Config, section: Section, place: int, exposure: DeclaredExposure
) -> None:
    """Blame a target that is an object of no cluster, or a Gateway that is not followed."""
    if not exposure.carrier:
        return
    cluster = config.cluster_of(exposure)
    if cluster is None:
        known = ", ".join(c.name for c in config.clusters) or "add one under clusters"
        section.blame(("exposures", place, "cluster"), "names no cluster", f"use one of: {known}")
    elif exposure.target.startswith("gateway/") and exposure.carrier not in {
        gateway.key for gateway in cluster.gateways
    }:
        remedy = f"add it to the gateways of {cluster.name}"
        section.blame(("exposures", place, "target"), "is a Gateway that is not followed", remedy)


def _place_repositories(config: Config, section: Section) -> None:
    """Refuse a repository of which nobody knows the cluster that applies it."""
    names = [cluster.name for cluster in config.clusters]
    for place, repository in enumerate(config.repositories):
        path = ("repositories", place, "cluster")
        if repository.cluster and repository.cluster not in names:
            section.blame(path, f"is {repository.cluster!r}", f"use {', '.join(names)}")
        elif not repository.cluster and len(names) > 1:
            section.blame(path, "is missing", f"say which applies it: {', '.join(names)}")


def _refuse_doubles(section: Section, key: str, names: Iterable[str]) -> None:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name and name in first:
            remedy = f"it is {key}[{first[name]}] already; keep one"
            section.blame((key, place), f"repeats {name}", remedy)
        first.setdefault(name, place)
