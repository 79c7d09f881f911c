"""What the control plane does by itself, as far as clients rely on it.

A namespace gets its `default` ServiceAccount, a CustomResourceDefinition serves its kind, and a
Secret of type `kubernetes.io/service-account-token` gets a token.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.access.users import SERVICE_ACCOUNTS
from sandbox.kubernetes.kinds.definitions import register_definition
from sandbox.kubernetes.storage.store import key_of
from sandbox.kubernetes.writes.metadata import timestamp
from sandbox.kubernetes.writes.options import Target, WriteOptions


if TYPE_CHECKING:
    from sandbox.kubernetes.access.users import Authenticator
    from sandbox.kubernetes.kinds.resource import GroupPlural, Kinds
    from sandbox.kubernetes.storage.store import Document, Event, Store
    from sandbox.kubernetes.writes.writer import Writer

DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
_TOKEN_TYPE = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
_MANAGER = "kube-controller-manager"


@dataclass
class Housekeeper:
    """Follows the store and reacts, at once."""

    store: Store
    kinds: Kinds
    writer: Writer
    authenticator: Authenticator

    def begin(self) -> None:
        """React from now on."""
        self.store.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        gone = event.type == "DELETED"
        if event.resource == ("", "namespaces") and event.type == "ADDED":
            self._add_default_account(event.document["metadata"]["name"])
        elif event.resource == DEFINITIONS:
            (self._withdraw if gone else self._serve)(event.document)
        elif event.resource == ("", "secrets") and not gone:
            self._fill_token(event.document)

    def _add_default_account(self, namespace: str) -> None:
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
        }
        if not self.store.get(SERVICE_ACCOUNTS, namespace, "default"):
            target = self._target(SERVICE_ACCOUNTS, namespace)
            self.writer.create(target, account, WriteOptions(manager=_MANAGER))

    def _serve(self, definition: Document) -> None:
        resource = register_definition(self.kinds, definition)
        # our own status write comes by here again
        if definition.get("status"):
            return
        status = {
            "acceptedNames": definition["spec"]["names"],
            "conditions": _established(timestamp(self.writer.now())),
            "storedVersions": [resource.version],
        }
        self._change(DEFINITIONS, definition, {"status": status}, "status")

    def _withdraw(self, definition: Document) -> None:
        spec = definition["spec"]
        resource = self.kinds.resources.get((spec["group"], spec["names"]["plural"]))
        if resource:
            for document in self.store.all(resource.key):
                self.store.delete(resource.key, key_of(document))
            self.kinds.remove(resource)

    def _fill_token(self, secret: Document) -> None:
        if secret.get("type") != _TOKEN_TYPE or "token" in (secret.get("data") or {}):
            return
        metadata = secret["metadata"]
        name = (metadata.get("annotations") or {}).get(_ACCOUNT, "")
        account = self.store.get(SERVICE_ACCOUNTS, metadata["namespace"], name)
        if account is None:
            return
        token, _ = self.authenticator.issue(account, seconds=None)
        parts = {"token": token, "namespace": metadata["namespace"]}
        data = {k: base64.b64encode(v.encode()).decode() for k, v in parts.items()}
        self._change(("", "secrets"), secret, {"data": {**(secret.get("data") or {}), **data}})

    def _change(
        self, key: GroupPlural, document: Document, change: dict[str, Any], subresource: str = ""
    ) -> None:
        target = self._target(key, *key_of(document))
        options = WriteOptions(manager=_MANAGER, subresource=subresource)
        if self.store.get(key, target.namespace, target.name):
            self.writer.patch(target, lambda live: {**live, **change}, options)

    def _target(self, key: GroupPlural, namespace: str, name: str = "") -> Target:
        resource = self.kinds.resources[key]
        return Target(resource, resource.version, namespace, name)


def _established(since: str) -> list[Document]:
    told = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    names = ("type", "reason", "message")
    return [
        {**dict(zip(names, words, strict=True)), "status": "True", "lastTransitionTime": since}
        for words in told
    ]
