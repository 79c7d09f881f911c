"""The Kubernetes stand-in: the API over HTTPS, and the same objects for controllers in process."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.files import write_atomically
from sandbox.kubernetes import loading
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.kinds.resource import Resource, split_api_version
from sandbox.kubernetes.kubeconfig import write_kubeconfig
from sandbox.kubernetes.patches.merge import merge_patch
from sandbox.kubernetes.redaction import redacted_body
from sandbox.kubernetes.routing import Router
from sandbox.kubernetes.storage.copies import copied
from sandbox.kubernetes.wire.paths import resource_path
from sandbox.kubernetes.writes.options import DeleteOptions, Target, WriteOptions
from sandbox.standin import StandIn


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aiohttp import web

    from sandbox.kubernetes.storage.store import Event

Document = dict[str, Any]
Documents = list[Document]
Refusals = list[loading.Refused]
Gvr = str | tuple[str, str, str]


@dataclass
class Kubernetes(StandIn):
    """An API server with its objects; `now` returns epoch seconds (the world's clock).

    In process, resources are named "v1/services", "apps/v1/deployments" or as (group, version,
    plural) tuples; objects that are returned are copies.
    """

    admin_token: str = field(default_factory=lambda: secrets.token_hex(16))
    now: Callable[[], float] = time.time

    name: ClassVar[str] = "kubernetes"
    secret_names: ClassVar[frozenset[str]] = frozenset({"token", "password", "client_secret"})

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.admin_token, now=self.now)
        self._saved_revision = -1
        self._saving = False
        self.cluster.store.subscribe(self._heard)

    def add_routes(self, app: web.Application) -> None:
        """Serve the whole API."""
        app.router.add_route("*", "/{path:.*}", Router(self.cluster).__call__)

    async def stop(self) -> None:
        """End all watches and close both ports."""
        self.cluster.store.close()
        await super().stop()

    # In process.

    def get(self, gvr: Gvr, namespace: str | None, name: str) -> Document | None:
        """Return an object, or None."""
        found = self.cluster.store.get(self._resource(gvr).key, namespace or "", name)
        return copied(found) if found else None

    def list(self, gvr: Gvr, namespace: str | None = None) -> Documents:
        """Return a resource's objects, of one namespace or of all."""
        return copied(self.cluster.store.all(self._resource(gvr).key, namespace or ""))

    def apply(self, document: Document, *, manager: str, status: bool = False) -> Document:
        """Apply an object server-side, by force: create it, or take over what it says."""
        loading.known_kind(self.cluster, document)
        target = self.cluster.target_of(document)
        options = WriteOptions(manager, force=True, subresource="status" if status else "")
        return copied(self.cluster.writer.apply(target, document, options)[0])

    def patch(
        self, gvr: Gvr, namespace: str | None, name: str, patch: Document, *, manager: str
    ) -> Document:
        """Lay a JSON merge patch over an object; raise ApiError when it is not there."""
        return self._patch(gvr, namespace, name, patch, WriteOptions(manager))

    def patch_status(
        self, gvr: Gvr, namespace: str | None, name: str, status: Document, *, manager: str
    ) -> Document:
        """Lay a JSON merge patch over an object's status."""
        options = WriteOptions(manager, subresource="status")
        return self._patch(gvr, namespace, name, {"status": status}, options)

    def delete(self, gvr: Gvr, namespace: str | None, name: str) -> bool:
        """Delete an object and what depends on it; say whether it was there."""
        resource = self._resource(gvr)
        live = self.cluster.store.get(resource.key, namespace or "", name)
        if live:
            self.cluster.remover.delete(resource, live, DeleteOptions())
        return live is not None

    def subscribe(self, callback: Callable[[str, Document], None]) -> Callable[[], None]:
        """Call back with (ADDED, MODIFIED or DELETED, object) for every write; the result ends it.

        Callbacks run at once and in order; they may write.
        """
        return self.cluster.store.subscribe(lambda e: callback(e.type, copied(e.document)))

    watch = subscribe

    def register(
        self, group: str, version: str, kind: str, plural: str, *, namespaced: bool
    ) -> Resource:
        """Serve a further custom kind, whose fields are not checked."""
        return loading.register(self.cluster, group, version, kind, plural, namespaced=namespaced)

    def load_objects(
        self, documents: Iterable[Document], manager: str = "kubectl", *, server_side: bool = False
    ) -> Refusals:
        """Bring manifests in: kinds and namespaces are made as needed; return what was refused."""
        refused = loading.load_objects(self.cluster, documents, manager, server_side=server_side)
        self.changed()
        return refused

    def service_account_token(
        self, namespace: str, name: str, *, seconds: float | None = None
    ) -> str:
        """Return a token for a ServiceAccount (by default one that does not end)."""
        account = self.cluster.store.get(("", "serviceaccounts"), namespace, name)
        if account is None:
            raise LookupError(f"no ServiceAccount {namespace}/{name}")
        return self.cluster.authenticator.issue(account, seconds=seconds)[0]

    def kubeconfig(self, path: Path, token: str, ca_pem: bytes) -> None:
        """Write a kubeconfig for the started server."""
        write_kubeconfig(path, self.base_url, token, ca_pem)

    def _patch(
        self, gvr: Gvr, namespace: str | None, name: str, patch: Document, options: WriteOptions
    ) -> Document:
        resource = self._resource(gvr)
        target = Target(resource, resource.version, namespace or "", name)
        return copied(
            self.cluster.writer.patch(target, lambda live: merge_patch(live, patch), options)
        )

    def _resource(self, gvr: Gvr) -> Resource:
        if isinstance(gvr, str):
            api, _, plural = gvr.rpartition("/")
            gvr = (*split_api_version(api), plural)
        resource = self.cluster.kinds.find(*gvr)
        if resource is None:
            raise LookupError(f"no resource {gvr} is served")
        return resource

    # State.

    def dump(self) -> Document:
        """Return all objects, and the kinds that were registered by hand."""
        kinds = [resource.as_json() for resource in self.cluster.registered.values()]
        return {"objects": [*self.cluster.store.everything()], "kinds": kinds}

    def saved(self) -> Document:
        """Return the state with what makes a restart unnoticeable."""
        kept = {
            "resource_version": self.cluster.store.revision,
            "signing_key": self.cluster.authenticator.signing_key,
        }
        return {**kept, **self.dump()}

    def load(self, state: Document) -> None:
        """Replace all objects: before the start as they were saved, later as writes."""
        for kind in state.get("kinds", ()):
            self.register(**kind)
        if self.base_url:
            loading.replace_all(self.cluster, state["objects"])
        else:
            loading.restore(self.cluster, state)

    def changed(self) -> None:
        """Save the state if it changed since the last time."""
        store = self.cluster.store
        if not self.path or self._saved_revision == store.revision:
            return
        self._saved_revision = store.revision
        head = json.dumps({**self.saved(), "objects": None})
        texts = ",\n".join(store.text(document) for document in store.everything())
        text = head.replace('"objects": null', f'"objects": [\n{texts}\n]', 1)
        write_atomically(self.path, text.encode())

    def _heard(self, _: Event) -> None:
        """Save once for all writes of one turn of the event loop."""
        if not self.path or self._saving:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._saving = True
        loop.call_soon(self._save)

    def _save(self) -> None:
        self._saving = False
        self.changed()

    def logged_body(self, request: web.Request, body: bytes) -> Any:
        """Return a body for the log, without what is in Secrets."""
        path = resource_path(request.path)
        of_secret = path is not None and (path.group, path.plural) == ("", "secrets")
        return redacted_body(body, request.content_type, self.secret_names, of_secret=of_secret)
