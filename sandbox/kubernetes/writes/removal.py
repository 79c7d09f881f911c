"""Deletes objects: finalizers are waited for, dependants and a namespace's contents follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import conflict
from sandbox.kubernetes.kinds.resource import split_api_version
from sandbox.kubernetes.storage.store import key_of
from sandbox.kubernetes.writes.metadata import timestamp
from sandbox.kubernetes.writes.options import DeleteOptions


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.kinds.resource import Kinds, Resource
    from sandbox.kubernetes.storage.store import Document, Store


@dataclass
class Remover:
    """Deletes from the store, and cleans up as the garbage collector does, but at once."""

    store: Store
    kinds: Kinds
    now: Callable[[], float]

    def delete(self, resource: Resource, live: Document, options: DeleteOptions) -> Document:
        """Delete an object, or mark it when finalizers hold it; return it as it was last."""
        self._check(resource, live, options)
        if options.dry_run:
            return live
        if live["metadata"].get("finalizers"):
            return self._mark(resource, live)
        return self.finish(resource, live, options)

    def finish(
        self, resource: Resource, live: Document, options: DeleteOptions | None = None
    ) -> Document:
        """Remove an object that nothing holds any more, and what depended on it."""
        last = self.store.delete(resource.key, key_of(live)) or live
        if resource.key == ("", "namespaces"):
            self._empty(live["metadata"]["name"])
        orphan = bool(options and options.propagation == "Orphan")
        self._collect(live["metadata"]["uid"], orphan=orphan)
        return last

    @staticmethod
    def _check(resource: Resource, live: Document, options: DeleteOptions) -> None:
        metadata = live["metadata"]
        for what, wanted in (("uid", options.uid), ("resourceVersion", options.resource_version)):
            if wanted and metadata[what] != wanted:
                label = "UID" if what == "uid" else "ResourceVersion"
                why = (
                    f"Precondition failed: {label} in precondition: {wanted}, "
                    f"{label} in object meta: {metadata[what]}"
                )
                raise conflict(resource, metadata["name"], why)

    def _mark(self, resource: Resource, live: Document) -> Document:
        if "deletionTimestamp" in live["metadata"]:
            return live
        marked: dict[str, Any] = {
            **live["metadata"],
            "deletionTimestamp": timestamp(self.now()),
            "deletionGracePeriodSeconds": 0,
        }
        return self.store.put(resource.key, {**live, "metadata": marked})

    def _empty(self, namespace: str) -> None:
        """Delete a namespace's contents, whatever finalizers they have."""
        # a real namespace would hang in Terminating for each finalizer without a controller
        for resource in list(self.kinds):
            if resource.namespaced:
                for document in self.store.all(resource.key, namespace):
                    self.store.delete(resource.key, key_of(document))

    def _collect(self, uid: str, *, orphan: bool) -> None:
        """Delete the objects that this one was the last owner of, or only forget it as owner."""
        for resource, dependant in self._dependants(uid):
            owners = [o for o in dependant["metadata"]["ownerReferences"] if o["uid"] != uid]
            if orphan or owners:
                metadata = {**dependant["metadata"], "ownerReferences": owners}
                self.store.put(resource.key, {**dependant, "metadata": metadata})
            else:
                self.delete(resource, dependant, DeleteOptions())

    def _dependants(self, uid: str) -> list[tuple[Resource, Document]]:
        return [
            (resource, document)
            for document in self.store.everything()
            if any(o["uid"] == uid for o in document["metadata"].get("ownerReferences") or ())
            if (resource := self.resource_of(document))
        ]

    def resource_of(self, document: Document) -> Resource | None:
        """Return the resource that a stored object belongs to."""
        group, _ = split_api_version(document["apiVersion"])
        return self.kinds.of_kind(group, document["kind"])
