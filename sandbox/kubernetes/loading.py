"""Brings many objects in at once: manifests at boot, and a saved or given state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.kinds.definitions import register_definition, with_identity
from sandbox.kubernetes.kinds.fields import ANY
from sandbox.kubernetes.kinds.resource import Resource, split_api_version
from sandbox.kubernetes.storage.store import key_of
from sandbox.kubernetes.writes.defaults import defaulted
from sandbox.kubernetes.writes.metadata import fresh
from sandbox.kubernetes.writes.options import WriteOptions


if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.kubernetes.cluster import Cluster
    from sandbox.kubernetes.kinds.resource import GroupPlural

Document = dict[str, Any]

_FIRST = ("CustomResourceDefinition", "Namespace", "ServiceAccount")


@dataclass(frozen=True)
class Refused:
    """An object that could not be loaded, and the API's reason."""

    document: Document
    reason: str


def load_objects(
    cluster: Cluster, documents: Iterable[Document], manager: str, *, server_side: bool
) -> list[Refused]:
    """Create or update these objects, kinds and namespaces first; return what was refused."""
    flat = [item for document in documents for item in _items(document)]
    refused = []
    # sorting is stable: within a turn, manifests keep the order of their files
    for document in sorted(flat, key=_turn):
        try:
            _bring(cluster, document, manager, server_side=server_side)
        except (ApiError, ValueError, KeyError, TypeError, AttributeError) as error:
            refused.append(Refused(document, str(error)))
    return refused


def _items(document: Document) -> list[Document]:
    return document["items"] if document.get("kind") == "List" else [document]


def _turn(document: Document) -> tuple[int, bool]:
    """Return when an object comes: of a kind not known, one that says its namespace comes first."""
    kind, metadata = document.get("kind"), document.get("metadata")
    says = isinstance(metadata, dict) and bool(metadata.get("namespace"))
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST), not says


def _bring(cluster: Cluster, document: Document, manager: str, *, server_side: bool) -> None:
    known_kind(cluster, document)
    target = cluster.target_of(document)
    if target.namespace:
        _ensure_namespace(cluster, target.namespace, manager)
    options = WriteOptions(manager, strictness="Ignore", force=True, keep_status=True)
    if server_side:
        cluster.writer.apply(target, document, options)
    elif cluster.exists(target):
        live = cluster.writer.live(target)
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        metadata = {**document["metadata"], **version}
        cluster.writer.replace(target, {**document, "metadata": metadata}, options)
    else:
        cluster.writer.create(target, document, options)


def _ensure_namespace(cluster: Cluster, name: str, manager: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    target = cluster.target_of(namespace)
    if not cluster.exists(target):
        cluster.writer.create(target, namespace, WriteOptions(manager))


def known_kind(cluster: Cluster, document: Document) -> Resource:
    """Return an object's resource; a kind not served yet is served from now on as a custom one."""
    group, version = split_api_version(str(document.get("apiVersion", "")))
    kind = str(document.get("kind", ""))
    if not version or not kind:
        raise ValueError("apiVersion or kind is missing")
    resource = cluster.kinds.of_kind(group, kind)
    if resource:
        return cluster.kinds.serve_version(resource, version)
    namespaced = "namespace" in (document.get("metadata") or {})
    return register(cluster, group, version, kind, _plural(kind), namespaced=namespaced)


def register(
    cluster: Cluster, group: str, version: str, kind: str, plural: str, *, namespaced: bool
) -> Resource:
    """Serve a custom kind whose fields are not known: all are kept as they come."""
    resource = Resource(
        group,
        (version,),
        kind,
        plural,
        namespaced,
        schema=with_identity(ANY, cluster.kinds),
        subresources=frozenset({"status"}),
        custom=True,
        counted=True,
    )
    cluster.registered[resource.key] = resource
    return cluster.kinds.add(resource)


def _plural(kind: str) -> str:
    """Guess a kind's plural as the API's own tools do."""
    lower = kind.lower()
    if lower.endswith(("s", "x", "ch", "sh")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"


def restore(cluster: Cluster, state: Document) -> None:
    """Hold exactly a saved state, with the resourceVersions it has."""
    ready = _ready(cluster, state["objects"])
    known = [(key, d) for key, d in ready if d["metadata"].get("resourceVersion")]
    newest = max((int(d["metadata"]["resourceVersion"]) for _, d in known), default=0)
    cluster.store.restore(known, max(newest, int(state.get("resource_version", 0))))
    for key, document in ready:
        if not document["metadata"].get("resourceVersion"):
            cluster.store.put(key, document)
    cluster.authenticator.signing_key = state.get("signing_key", cluster.signing_key)
    cluster.authorizer.forget()
    cluster.bootstrap()


def _ready(cluster: Cluster, documents: Iterable[Document]) -> list[tuple[GroupPlural, Document]]:
    """Return full objects ready to be stored as they are; raise ValueError on nonsense."""
    ready = []
    for document in sorted((d for d in documents if _is_object(d)), key=_turn):
        if document["kind"] == "CustomResourceDefinition":
            register_definition(cluster.kinds, document)
        resource = known_kind(cluster, document)
        whole = document
        if "uid" not in document["metadata"]:
            whole = defaulted(resource, fresh(document, cluster.now()))
        if resource.namespaced:
            whole = {**whole, "metadata": {"namespace": "default", **whole["metadata"]}}
        ready.append((resource.key, whole))
    return ready


def _is_object(document: Any) -> bool:
    if not isinstance(document, dict) or "name" not in (document.get("metadata") or {}):
        raise ValueError("every object needs apiVersion, kind and metadata.name")
    return True


def replace_all(cluster: Cluster, documents: Iterable[Document]) -> None:
    """Make these the cluster's objects; what differs is written, so that watches see it."""
    ready = _ready(cluster, documents)
    wanted = {(resource, key_of(document)) for resource, document in ready}
    for document in list(cluster.store.everything()):
        resource = cluster.resource_of(document)
        if (resource.key, key_of(document)) not in wanted:
            cluster.store.delete(resource.key, key_of(document))
    for key, document in ready:
        live = cluster.store.get(key, *key_of(document))
        if live is None or _content(live) != _content(document):
            cluster.store.put(key, document)
    cluster.bootstrap()


def _content(document: Document) -> Document:
    metadata = {k: v for k, v in document["metadata"].items() if k != "resourceVersion"}
    return {**document, "metadata": metadata}
