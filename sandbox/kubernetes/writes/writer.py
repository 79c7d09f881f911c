"""Creates, replaces, patches and applies objects, by the rules of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import already_exists, conflict, internal, invalid, not_found
from sandbox.kubernetes.kinds.decode import with_defaults
from sandbox.kubernetes.ownership import fields, managers
from sandbox.kubernetes.ownership.managers import Entry, Manager
from sandbox.kubernetes.storage.store import key_of
from sandbox.kubernetes.writes.applying import applied_over
from sandbox.kubernetes.writes.completion import completed
from sandbox.kubernetes.writes.defaults import defaulted
from sandbox.kubernetes.writes.metadata import fresh, kept, placed, timestamp
from sandbox.kubernetes.writes.parts import (
    bare,
    check_version,
    counted_part,
    in_version,
    known_managers,
    reached,
    reset,
    same,
    without_status,
)
from sandbox.kubernetes.writes.reading import read_applied, read_document, read_patched
from sandbox.kubernetes.writes.validation import causes_of, check_encoding


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.kinds.resource import Kinds, Resource
    from sandbox.kubernetes.ownership.managers import Operation
    from sandbox.kubernetes.storage.store import Document, Store
    from sandbox.kubernetes.writes.options import Target, WriteOptions
    from sandbox.kubernetes.writes.removal import Remover

NAMESPACES = ("", "namespaces")


@dataclass
class Writer:
    """Every write but deletes; `now` returns epoch seconds."""

    store: Store
    kinds: Kinds
    remover: Remover
    now: Callable[[], float]

    def create(self, target: Target, body: Any, options: WriteOptions) -> Document:
        """Store a new object; raise ApiError as the real server would."""
        resource = target.resource
        document = read_document(resource, body, options)
        if document["metadata"].get("resourceVersion"):
            raise internal("resourceVersion should not be set on objects to be created")
        document = placed(resource, document, target.namespace, target.name)
        document = defaulted(resource, fresh(document, self.now()))
        # a kind's default status belongs to nobody: it comes back when the object is added
        document = without_status(resource, document, options)
        writer = self._writer(target, options, "Update")
        managed = fields.update(resource.schema, bare(resource, document), document, {}, writer)
        return self._add(resource, managers.written(document, managed), options)

    def replace(self, target: Target, body: Any, options: WriteOptions) -> Document:
        """Put an object, or its status, in place of the one that is there."""
        live = self.live(target)
        document = read_document(target.resource, body, options)
        check_version(target.resource, live, document, replacing=True)
        return self._update(target, live, document, options)

    def patch(
        self, target: Target, change: Callable[[Document], Any], options: WriteOptions
    ) -> Document:
        """Put what `change` makes of the object in its place."""
        live = self.live(target)
        document = read_patched(target.resource, change(live), options)
        check_version(target.resource, live, document, replacing=False)
        return self._update(target, live, document, options)

    def apply(self, target: Target, body: Any, options: WriteOptions) -> tuple[Document, bool]:
        """Apply a configuration server-side; return the object and whether it is new."""
        resource = target.resource
        applied = placed(resource, read_applied(resource, body), target.namespace, target.name)
        live = self.store.get(resource.key, target.namespace, target.name)
        if live is None and options.subresource:
            raise not_found(resource, target.name)
        if live is None:
            return self._apply_new(target, applied, options), True
        return self._apply_over(
            target, in_version(live, target.api_version), applied, options
        ), False

    def live(self, target: Target) -> Document:
        """Return an object in the requested version; raise a 404."""
        live = self.store.get(target.resource.key, target.namespace, target.name)
        if live is None:
            raise not_found(target.resource, target.name)
        return in_version(live, target.api_version)

    def _writer(self, target: Target, options: WriteOptions, operation: Operation) -> Entry:
        manager = Manager(options.manager, operation, target.api_version, options.subresource)
        return Entry(manager, time=timestamp(self.now()))

    def _apply_new(self, target: Target, applied: Document, options: WriteOptions) -> Document:
        resource, uid = target.resource, applied["metadata"].get("uid")
        if uid:
            why = (
                f"uid mismatch: the provided object specified uid {uid}, "
                "and no existing object was found"
            )
            raise conflict(resource, target.name, why)
        applied = without_status(resource, applied, options)
        writer = self._writer(target, options, "Apply")
        born = bare(resource, applied)
        document, managed = fields.apply(resource.schema, born, applied, {}, writer, force=True)
        document = defaulted(resource, fresh(document, self.now()))
        document = without_status(resource, document, options)
        return self._add(resource, managers.written(document, managed), options)

    def _apply_over(
        self, target: Target, live: Document, applied: Document, options: WriteOptions
    ) -> Document:
        resource = target.resource
        check_version(resource, live, applied, replacing=False)
        # what nobody is known to own, one stand-in owner keeps from being taken unasked
        first = Manager(fields.FIRST_APPLY, "Update", target.api_version)
        known = managers.read(live) or fields.update(
            resource.schema,
            bare(resource, live),
            live,
            {},
            Entry(first, time=timestamp(self.now())),
        )
        config = reached(resource, applied, options.subresource)
        writer = self._writer(target, options, "Apply")
        document, managed = applied_over(
            resource.schema, live, config, known, writer, force=options.force
        )
        document = defaulted(resource, kept(resource, live, document))
        return self._put(resource, live, managers.written(document, managed), options)

    def _update(
        self, target: Target, live: Document, document: Document, options: WriteOptions
    ) -> Document:
        resource = target.resource
        document = placed(resource, document, target.namespace, target.name)
        managed = known_managers(live, document, options)
        document = reset(resource, live, document, options.subresource)
        document = defaulted(resource, kept(resource, live, document))
        # an object whose managers were reset stays untracked until the next apply
        if managed:
            writer = self._writer(target, options, "Update")
            managed = fields.update(resource.schema, live, document, managed, writer)
        return self._put(resource, live, managers.written(document, managed), options)

    def _add(self, resource: Resource, document: Document, options: WriteOptions) -> Document:
        namespace, name = key_of(document)
        if namespace and not self.store.get(NAMESPACES, "", namespace):
            raise not_found(self.kinds.resources[NAMESPACES], namespace)
        if resource.counted:
            document = {**document, "metadata": {**document["metadata"], "generation": 1}}
        document = self._checked(resource, with_defaults(resource.schema, document), None)
        # only now: the real server validates before it finds the name taken
        if self.store.get(resource.key, namespace, name):
            raise already_exists(resource, name)
        return document if options.dry_run else self.store.put(resource.key, document)

    def _put(
        self, resource: Resource, live: Document, document: Document, options: WriteOptions
    ) -> Document:
        document = self._checked(resource, document, live)
        if same(live, document):
            return live
        if resource.counted and counted_part(resource, document) != counted_part(resource, live):
            generation = live["metadata"].get("generation", 0) + 1
            document = {**document, "metadata": {**document["metadata"], "generation": generation}}
        if options.dry_run:
            return document
        if "deletionTimestamp" in document["metadata"] and not document["metadata"].get(
            "finalizers"
        ):
            return self.remover.finish(resource, live)
        return self.store.put(resource.key, document)

    def _checked(self, resource: Resource, document: Document, live: Document | None) -> Document:
        check_encoding(resource, document)
        document = completed(self.store, resource, document)
        causes = causes_of(resource, document, live)
        if causes:
            raise invalid(resource, document["metadata"].get("name", ""), causes)
        return document
