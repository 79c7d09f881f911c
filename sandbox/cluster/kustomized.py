"""What kustomizations, kustomize's own and Flux's, say of the files that they lead to.

Only what needs no rendering is followed: which files are patches, and the namespace that objects
get. Rules: kubectl.docs.kubernetes.io/references/kustomize; fluxcd.io/flux/components/kustomize.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Json = dict[str, Any]

FLUX = "kustomize.toolkit.fluxcd.io/"
FOLLOWED = {"apiVersion", "kind", "metadata", "namespace", "resources"}
CLUSTER_WIDE = {
    "APIService", "CertificateSigningRequest", "ClusterExternalSecret", "ClusterIssuer",
    "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "Connector",
    "CustomResourceDefinition", "DNSConfig", "GatewayClass", "IngressClass",
    "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PriorityClass", "ProxyClass",
    "ProxyGroup", "RuntimeClass", "StorageClass", "Tailnet", "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
}  # fmt: skip


class Kustomized:
    """The kustomizations among the documents of a directory, by the path of their file.

    `patches` maps a file to the kustomization that applies it; `namespaces` a file to the one that
    its objects get. A file that is led to in several ways is read as it stands.
    """

    def __init__(self, documents: Mapping[str, Sequence[Any]], root: Path) -> None:
        self._files = documents
        self._root = root.resolve().parts
        self._folders = {
            str(PurePosixPath(path).parent): (path, document)
            for path, found in documents.items()
            for document in found
            if is_kustomization(document, path)
        }
        self.patches = {
            beside(path, patch): path
            for path, document in self._folders.values()
            for patch in _patch_files(document)
        }
        self._ways: defaultdict[str, set[str]] = defaultdict(set)
        self._follow()
        self.namespaces = {
            path: next(iter(ways))
            for path, ways in self._ways.items()
            if path in documents and len(ways) == 1
        }

    def _follow(self) -> None:
        """Start where no other leads to."""
        flux = list(self._flux())
        led_to = {child for folder in self._folders for child in self._children(folder)}
        led_to |= {folder for folder, _ in flux}
        starts = [(folder, "") for folder in self._folders if folder not in led_to]
        for place, namespace in [*flux, *starts]:
            self._reach(place, namespace)

    def _flux(self) -> Iterator[tuple[str, str]]:
        """Yield the folder of each of Flux's Kustomizations, and the namespace that it gives."""
        for documents in self._files.values():
            for document in filter(_is_flux, documents):
                spec = _mapping(document.get("spec"))
                folder = self._inside(str(spec.get("path") or "."))
                if folder is not None:
                    yield folder, str(spec.get("targetNamespace") or "")

    def _inside(self, path: str) -> str | None:
        """Return a path of the repository below our directory, which may be a folder of it."""
        parts = PurePosixPath(path.removeprefix("./").strip("/")).parts
        for cut in range(len(parts) + 1):
            folder = "/".join(parts[cut:]) or "."
            is_ours = cut == 0 or self._root[-cut:] == parts[:cut]
            if is_ours and (folder in self._folders or any(self._below(folder))):
                return folder
        return None

    def _reach(self, place: str, namespace: str) -> None:
        """Note a way to a file or folder; the outermost namespace counts."""
        if namespace in self._ways[place]:
            return
        self._ways[place].add(namespace)
        if place in self._folders:
            own = self._folders[place][1].get("namespace")
            inner = namespace or (own if isinstance(own, str) else "")
            for child in self._children(place):
                self._reach(child, inner)
        elif place not in self._files:
            for path in list(self._below(place)):
                self._reach(path, namespace)

    def _children(self, folder: str) -> list[str]:
        path, document = self._folders[folder]
        listed = [*_listed(document, "resources"), *_listed(document, "components")]
        return [beside(path, each) for each in listed if isinstance(each, str)]

    def _below(self, folder: str) -> Iterator[str]:
        """Yield what Flux finds in a folder without a kustomization: its files, or folders' own."""
        for path in self._files:
            for inner in (*reversed(PurePosixPath(path).parents), PurePosixPath(path)):
                if inner.is_relative_to(folder) and (str(inner) in {path, *self._folders}):
                    yield str(inner)
                    break


def is_kustomization(document: Any, path: str) -> bool:
    """Say whether a document is kustomize's own, by its API group or its file's name."""
    if not isinstance(document, dict):
        return False
    named = PurePosixPath(path).name.lower().startswith("kustomization.")
    version = str(document.get("apiVersion", ""))
    return version.startswith("kustomize.config.k8s.io/") or (named and not version)


def not_rendered(kustomization: Json) -> str:
    """Say what of a kustomization is not followed."""
    remote = [
        r for r in _listed(kustomization, "resources") if "://" in str(r) or "?ref=" in str(r)
    ]
    changes = sorted(set(kustomization) - FOLLOWED)
    return "; ".join(
        [
            "a kustomization is not rendered: its files are read as they stand",
            *([f"not applied: {', '.join(changes)}"] if changes else []),
            *([f"not fetched: {', '.join(map(str, remote))}"] if remote else []),
        ]
    )


def placed(thing: Json, namespace: str) -> Json:
    """Return an object in the namespace that its kustomization gives; a Namespace is called so."""
    if not namespace or thing["kind"] in CLUSTER_WIDE:
        return thing
    key = "name" if thing["kind"] == "Namespace" else "namespace"
    return {**thing, "metadata": {**thing["metadata"], key: namespace}}


def _patch_files(kustomization: Json) -> Iterator[str]:
    for patch in _listed(kustomization, "patches"):
        if isinstance(patch, dict) and isinstance(patch.get("path"), str):
            yield patch["path"]
    for patch in _listed(kustomization, "patchesStrategicMerge"):
        if isinstance(patch, str) and "\n" not in patch:
            yield patch


def _is_flux(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("kind") == "Kustomization"
        and str(document.get("apiVersion")).startswith(FLUX)
    )


def _listed(document: Json, key: str) -> list[Any]:
    value = document.get(key)
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def beside(path: str, other: str) -> str:
    """Return a path that is written in a file, from the directory's root."""
    return joined((PurePosixPath(path).parent / other).parts)


def joined(parts: Iterable[str]) -> str:
    """Return a path without `.` and `..`."""
    found: list[str] = []
    for part in parts:
        if part == "..":
            found[-1:] = []
        elif part != ".":
            found.append(part)
    return "/".join(found) or "."
