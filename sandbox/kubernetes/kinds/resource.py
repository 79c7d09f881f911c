"""A served resource, and the register of all that are served."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.fields import ANY, Field


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GroupPlural = tuple[str, str]


@dataclass(frozen=True)
class Column:
    """One printed column; `priority` above 0 is shown by `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class Resource:
    """One kind as the API serves it; `custom` ones behave as CustomResourceDefinitions do.

    `versions` are all that are served, the preferred one first; they differ in name only.
    """

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str
    namespaced: bool
    schema: Field = ANY
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    subresources: frozenset[str] = frozenset()
    custom: bool = False
    counted: bool = False

    @property
    def version(self) -> str:
        """Return the preferred version."""
        return self.versions[0]

    @property
    def singular(self) -> str:
        """Return the name for one."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """Return group and preferred version as manifests write them."""
        return api_version(self.group, self.version)

    @property
    def qualified(self) -> str:
        """Return `plural.group` as error messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """Return `Kind.group` as validation messages write it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def key(self) -> GroupPlural:
        """Return what names this resource whatever its version."""
        return self.group, self.plural

    def as_json(self) -> dict[str, Any]:
        """Return what `Kubernetes.register` takes, to remember kinds found in manifests."""
        return {
            "group": self.group,
            "version": self.version,
            "kind": self.kind,
            "plural": self.plural,
            "namespaced": self.namespaced,
        }


def api_version(group: str, version: str) -> str:
    """Join group and version as manifests write them."""
    return f"{group}/{version}" if group else version


def split_api_version(text: str) -> tuple[str, str]:
    """Return group ("" for the core) and version."""
    group, _, version = text.rpartition("/")
    return group, version


@dataclass
class Kinds:
    """The register of what is served, by plural and by kind."""

    resources: dict[GroupPlural, Resource] = field(default_factory=dict)
    _by_kind: dict[tuple[str, str], Resource] = field(default_factory=dict)

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Kinds:
        """Return a register of these."""
        kinds = cls()
        for resource in resources:
            kinds.add(resource)
        return kinds

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def add(self, resource: Resource) -> Resource:
        """Serve a resource; a further version of a known one joins those already served."""
        known = self.resources.get(resource.key)
        if known:
            more = tuple(v for v in known.versions if v not in resource.versions)
            resource = replace(resource, versions=resource.versions + more)
        self.resources[resource.key] = resource
        self._by_kind[resource.group, resource.kind] = resource
        return resource

    def serve_version(self, resource: Resource, version: str) -> Resource:
        """Serve a known resource in one more version."""
        if version in resource.versions:
            return resource
        return self.add(replace(resource, versions=(*resource.versions, version)))

    def remove(self, resource: Resource) -> None:
        """Serve it no more."""
        self.resources.pop(resource.key, None)
        self._by_kind.pop((resource.group, resource.kind), None)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource of a request's path."""
        resource = self.resources.get((group, plural))
        return resource if resource and version in resource.versions else None

    def of_kind(self, group: str, kind: str) -> Resource | None:
        """Return the resource that a manifest's kind means, in whatever version."""
        return self._by_kind.get((group, kind))

    def versions_of(self, group: str) -> list[str]:
        """Return a group's versions, the most stable and newest first."""
        found = {v for r in self for v in r.versions if r.group == group}
        return sorted(found, key=_stability, reverse=True)

    def groups(self) -> list[str]:
        """Return the named groups that are served."""
        return sorted({r.group for r in self if r.group})


def _stability(version: str) -> tuple[int, int, int]:
    """Order versions as Kubernetes does: v2 > v1 > v1beta2 > v1beta1 > v1alpha1."""
    major, _, rest = version.removeprefix("v").partition("beta")
    if rest:
        return 1, int(major), int(rest)
    major, _, rest = major.partition("alpha")
    if rest:
        return 0, int(major), int(rest)
    return (2, int(major), 0) if major.isdigit() else (-1, 0, 0)
