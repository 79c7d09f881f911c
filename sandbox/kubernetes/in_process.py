"""The API for code in the server's own process: the controllers and the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.users import SERVICE_ACCOUNTS
from sandbox.kubernetes.kinds.resource import split_api_version
from sandbox.kubernetes.loading import known_kind, register
from sandbox.kubernetes.patches.merge import merge_patch
from sandbox.kubernetes.storage.documents import copied
from sandbox.kubernetes.writes.options import DeleteOptions, Target, WriteOptions


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.cluster import Cluster
    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]
Documents = list[Document]
Kind = str | tuple[str, str, str]


class InProcess:
    """Objects without the wire; access rules do not apply here.

    A kind is told by name ("Service"), by its resource ("v1/services", "apps/v1/deployments") or
    as (group, version, plural). Objects that are returned are copies. Writes raise ApiError where
    the real server would refuse them, and LookupError for a kind that is not served.
    """

    cluster: Cluster

    def get(self, kind: Kind, namespace: str, name: str) -> Document | None:
        """Return an object, or None; the namespace of cluster-wide kinds is ""."""
        return copied(self.cluster.store.get(self._resource(kind).key, namespace, name))

    def list(self, kind: Kind, namespace: str = "") -> Documents:
        """Return the objects of a kind, of one namespace or of all."""
        return copied(self.cluster.store.all(self._resource(kind).key, namespace))

    def apply(self, thing: Document, manager: str, *, status: bool = False) -> None:
        """Create an object, or take over the fields given, as a forced server-side apply."""
        known_kind(self.cluster, thing)
        options = WriteOptions(manager, force=True, subresource="status" if status else "")
        self.cluster.writer.apply(self.cluster.target_of(thing), thing, options)

    def patch(self, kind: Kind, namespace: str, name: str, patch: Document, manager: str) -> None:
        """Lay a JSON merge patch over an object."""
        self._patch(kind, namespace, name, patch, WriteOptions(manager))

    def patch_status(
        self, kind: Kind, namespace: str, name: str, status: Document, manager: str
    ) -> None:
        """Lay a JSON merge patch over an object's status."""
        options = WriteOptions(manager, subresource="status")
        self._patch(kind, namespace, name, {"status": status}, options)

    def set_status(self, thing: Document, status: Document, manager: str) -> None:
        """Replace the status of an object; nothing happens if it is gone or says so already."""
        target = self.cluster.target_of(thing)
        if self.cluster.exists(target):
            options = WriteOptions(manager, subresource="status")
            self.cluster.writer.patch(target, lambda live: {**live, "status": status}, options)

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object, if it is there, and what depends on it."""
        resource = self._resource(kind)
        live = self.cluster.store.get(resource.key, namespace, name)
        if live:
            self.cluster.remover.delete(resource, live, DeleteOptions())

    def subscribe(self, callback: Callable[[str, Document], None]) -> None:
        """Call back with (`ADDED`, `MODIFIED` or `DELETED`, object) for every write from now on.

        Callbacks run at once and in the order of the writes; they may write.
        """
        self.cluster.store.subscribe(lambda event: callback(event.type, copied(event.document)))

    def register(
        self, group: str, version: str, kind: str, plural: str, *, namespaced: bool
    ) -> None:
        """Serve a further custom kind, whose fields are not checked."""
        register(self.cluster, group, version, kind, plural, namespaced=namespaced)

    def service_account_token(
        self, namespace: str, name: str, *, seconds: float | None = None
    ) -> str:
        """Return a token for a ServiceAccount (by default one that does not end)."""
        account = self.cluster.store.get(SERVICE_ACCOUNTS, namespace, name)
        if account is None:
            raise LookupError(f"no ServiceAccount {namespace}/{name}")
        return self.cluster.authenticator.issue(account, seconds=seconds)[0]

    def _patch(
        self, kind: Kind, namespace: str, name: str, patch: Document, options: WriteOptions
    ) -> None:
        resource = self._resource(kind)
        target = Target(resource, resource.version, namespace, name)
        self.cluster.writer.patch(target, lambda live: merge_patch(live, patch), options)

    def _resource(self, kind: Kind) -> Resource:
        if isinstance(kind, str) and "/" not in kind:
            found = [resource for resource in self.cluster.kinds if resource.kind == kind]
            return min(found, key=lambda resource: resource.custom) if found else _unknown(kind)
        if isinstance(kind, str):
            api_version, _, plural = kind.rpartition("/")
            kind = (*split_api_version(api_version), plural)
        return self.cluster.kinds.find(*kind) or _unknown(kind)


def _unknown(kind: Kind) -> Resource:
    raise LookupError(f"no kind {kind} is served")
