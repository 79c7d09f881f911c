"""Secrets with a lifetime: what they are, where they are stored, who must be using them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.config.documents import document_of
from tailkeeper.config.problems import UnfitError, namespaced
from tailkeeper.durations import format_duration


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailkeeper.config.reading import Check, Section


@dataclass(frozen=True, slots=True)
class Place:
    """A destination or a consumer of a credential: its kind, and its path or namespace/name."""

    kind: str
    name: str

    @classmethod
    def destination(cls, section: Section) -> Place:
        """Read one element of `destinations`."""
        checks = {"vault": _vault_path, "secret": namespaced, "external_secret": namespaced}
        return cls._read(section, checks)

    @classmethod
    def consumer(cls, section: Section) -> Place:
        """Read one element of `consumers`."""
        return cls._read(section, {"deployment": namespaced})

    @classmethod
    def _read(cls, section: Section, checks: Mapping[str, Check]) -> Place:
        place = cls(*section.only_pair(checks))
        section.finish()
        return place

    def as_json(self) -> dict[str, str]:
        """Return the place as the file writes it: `{vault: kv/operator}`."""
        return {self.kind: self.name}


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret with a lifetime; `every` is the age in seconds at which it is rotated."""

    name: str
    kind: str
    every: int
    scopes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    destinations: tuple[Place, ...] = ()
    consumers: tuple[Place, ...] = ()

    @classmethod
    def read(cls, section: Section) -> Credential:
        """Read one element of `credentials`."""
        kinds = ("tailscale-oauth-client", "tailscale-webhook-secret", "git-webhook-secret")
        credential = cls(
            name=section.text("name", like="operator"),
            kind=section.choice("kind", (*kinds, "cloudflare-token", "vault-token")),
            every=section.duration("every", None, like="30d"),
            scopes=section.texts("scopes", like="devices:core"),
            tags=section.texts("tags", like="tag:k8s-operator"),
            destinations=tuple(map(Place.destination, section.sections("destinations"))),
            consumers=tuple(map(Place.consumer, section.sections("consumers"))),
        )
        section.finish()
        return credential

    def as_json(self) -> dict[str, Any]:
        """Return the credential as the file writes it."""
        return {**document_of(self), "every": format_duration(self.every)}


def _vault_path(value: str) -> str:
    mount, _, path = value.partition("/")
    if not mount or not path:
        raise UnfitError(f"is {value!r}", "write it as mount/path")
    return value
