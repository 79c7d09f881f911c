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
from sandbox.kubernetes.in_process import InProcess
from sandbox.kubernetes.kubeconfig import write_kubeconfig
from sandbox.kubernetes.redaction import redacted_body
from sandbox.kubernetes.routing import Router
from sandbox.kubernetes.wire.paths import resource_path
from sandbox.standin import StandIn


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from aiohttp import web

    from sandbox.kubernetes.storage.store import Event

Document = dict[str, Any]


@dataclass
class Kubernetes(InProcess, StandIn):
    """An API server and its objects; `now` returns epoch seconds (the world's clock).

    `before_reads` is awaited before somebody reads through the API.
    Without a token, requests are those of system:anonymous; `admin_token` is a cluster admin's.
    """

    admin_token: str = field(default_factory=lambda: secrets.token_hex(16))
    now: Callable[[], float] = time.time
    before_reads: Callable[[], Awaitable[None]] | None = None

    name: ClassVar[str] = "kubernetes"
    secret_names: ClassVar[frozenset[str]] = frozenset({"token", "password", "client_secret"})

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.admin_token, now=self.now)
        self._saved_revision = -1
        self._saving = False
        self.cluster.store.subscribe(self._heard)

    def add_routes(self, app: web.Application) -> None:
        """Serve the whole API."""
        router = Router(self.cluster)

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.method == "GET" and self.before_reads:
                await self.before_reads()
            return await router(request)

        app.router.add_route("*", "/{path:.*}", answer)

    async def stop(self) -> None:
        """End all watches and close both ports."""
        self.cluster.store.close()
        await super().stop()

    def kubeconfig(self, path: Path, token: str, ca_pem: bytes) -> None:
        """Write a kubeconfig for the started server."""
        write_kubeconfig(path, self.base_url, token, ca_pem)

    def load_objects(
        self, documents: Iterable[Document], manager: str = "kubectl", *, server_side: bool = False
    ) -> list[loading.Refused]:
        """Bring manifests in: kinds and namespaces are made as needed; return what was refused."""
        refused = loading.load_objects(self.cluster, documents, manager, server_side=server_side)
        self.changed()
        return refused

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
        # each object is encoded once: most saves follow a write of a single one
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
            # no loop runs while manifests load; they are saved together
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
