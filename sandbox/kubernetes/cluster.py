"""The cluster behind the wire: kinds, objects, access, and its own housekeeping."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.bootstrap import bootstrap_objects
from sandbox.kubernetes.access.reviews import Reviewer
from sandbox.kubernetes.access.rules import Authorizer
from sandbox.kubernetes.access.users import Authenticator
from sandbox.kubernetes.housekeeping import Housekeeper
from sandbox.kubernetes.kinds.builtin import builtin_kinds
from sandbox.kubernetes.kinds.resource import GroupPlural, Kinds, Resource, split_api_version
from sandbox.kubernetes.storage.store import Store
from sandbox.kubernetes.writes.options import Target, WriteOptions
from sandbox.kubernetes.writes.removal import Remover
from sandbox.kubernetes.writes.writer import Writer


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.storage.store import Document


def _random() -> str:
    return secrets.token_hex(16)


@dataclass
class Cluster:
    """The parts of the server, put together; `now` returns epoch seconds."""

    admin_token: str = field(default_factory=_random)
    signing_key: str = field(default_factory=_random)
    now: Callable[[], float] = time.time
    kinds: Kinds = field(default_factory=builtin_kinds)
    store: Store = field(default_factory=Store)
    registered: dict[GroupPlural, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.remover = Remover(self.store, self.kinds, self.now)
        self.writer = Writer(self.store, self.kinds, self.remover, self.now)
        self.authenticator = Authenticator(self.store, self.admin_token, self.signing_key, self.now)
        self.authorizer = Authorizer(self.store)
        self.reviewer = Reviewer(self.authenticator, self.authorizer)
        Housekeeper(self.store, self.kinds, self.writer, self.authenticator).begin()
        self.bootstrap()

    def bootstrap(self) -> None:
        """Create what every cluster has and this one lacks."""
        options = WriteOptions(manager="kube-apiserver")
        for document in bootstrap_objects():
            target = self.target_of(document)
            if not self.exists(target):
                self.writer.create(target, document, options)

    def exists(self, target: Target) -> bool:
        """Say whether the object is there."""
        return bool(self.store.get(target.resource.key, target.namespace, target.name))

    def target_of(self, document: Document) -> Target:
        """Return where an object belongs; raise ValueError for a kind that is not served."""
        resource = self.resource_of(document)
        _, version = split_api_version(document["apiVersion"])
        metadata = document.get("metadata") or {}
        namespace = metadata.get("namespace") or "default" if resource.namespaced else ""
        return Target(resource, version, namespace, metadata.get("name", ""))

    def resource_of(self, document: dict[str, Any]) -> Resource:
        """Return an object's resource; raise ValueError for a kind that is not served."""
        group, version = split_api_version(str(document.get("apiVersion", "")))
        resource = self.kinds.of_kind(group, str(document.get("kind", "")))
        if resource is None or version not in resource.versions:
            raise ValueError(
                f"no kind {document.get('kind')!r} is served in {document.get('apiVersion')!r}"
            )
        return resource
