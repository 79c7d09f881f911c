"""What kustomizations make of the files that they list, as far as no tool is needed to know it.

A namespace is followed, through folders too. What is patched or renamed is not what its file says,
so that the file is left out; what only changes images, labels or ConfigMaps is as it is.
Rules: kubectl.docs.kubernetes.io/references/kustomize/kustomization.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from tailkeeper.git.kinds import GROUPS


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Files = Mapping[str, Sequence[Any]]

PLAIN = ("apiVersion", "kind", "metadata", "namespace", "resources")
NAMELESS = ("images", "replicas", "labels", "commonLabels", "sortOptions", "buildMetadata", "crds")
MADE = ("configMapGenerator", "secretGenerator", "generatorOptions")
PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
ADDED = ("helmCharts", "helmGlobals", "helmChartInflationGenerator", "generators")
FOLLOWED = frozenset({*PLAIN, *NAMELESS, *MADE, *PATCHES, *ADDED, "components"})


class Kustomized(NamedTuple):
    """By path: why a file is left out, and the namespace that its objects get."""

    left_out: dict[str, str]
    namespaces: dict[str, str]


class _Fate(NamedTuple):
    """What becomes of a file or folder: in which namespaces it is put, and what changes it."""

    namespaces: frozenset[str] = frozenset()
    why: str = ""

    def with_(self, namespace: str, why: str) -> _Fate:
        """Add a way to it; that there is more than one namespace is all that counts of many."""
        more = self.namespaces if len(self.namespaces) > 1 else self.namespaces | {namespace}
        return _Fate(more, self.why or why)


def kustomized(files: Files) -> Kustomized:
    """Return what the kustomizations among the files (the documents of each) do to the others."""
    folders = {
        str(PurePosixPath(path).parent): (path, document)
        for path, documents in files.items()
        for document in documents
        if is_kustomization(document, path)
    }
    fates = {path: fate for path, fate in _fates(files, folders).items() if path in files}
    left_out = {path: why for path, fate in fates.items() if (why := _why(fate))}
    for path, document in folders.values():
        left_out |= dict.fromkeys(_patches(path, document), f"a patch: {path} applies it")
    namespaces = {path: max(fate.namespaces) for path, fate in fates.items() if not _why(fate)}
    return Kustomized(
        {path: why for path, why in left_out.items() if path in files},
        {path: namespace for path, namespace in namespaces.items() if namespace},
    )


def is_kustomization(thing: Any, path: str) -> bool:
    """Return whether a document is a kustomization, by its API group or its file's name."""
    version = str(thing.get("apiVersion")) if isinstance(thing, Mapping) else ""
    named = PurePosixPath(path).stem.lower() == "kustomization"
    return version.startswith("kustomize.config.k8s.io/") or (named and version == "None")


def not_rendered(path: str, kustomization: Mapping[str, Any], files: Files) -> list[str]:
    """Return the parts that change what is read of a kustomization's files, or add to it."""
    remote = [r for r in _texts(kustomization, "resources") if "://" in r or "?ref=" in r]
    added = [key for key in ADDED if key in kustomization]
    parts = [*_changing(path, kustomization, files), *added]
    return sorted(parts) + (["remote resources"] if remote else [])


def _fates(files: Files, folders: Mapping[str, tuple[str, Any]]) -> dict[str, _Fate]:
    """Follow each kustomization that no other lists; a place is seen anew when its fate changes."""
    listed = {place for path, document in folders.values() for place in _places(path, document)}
    fates: dict[str, _Fate] = {}
    ways = [(folder, "", "") for folder in folders if folder not in listed]
    while ways:
        place, namespace, why = ways.pop()
        path, document = folders.get(place, ("", {}))
        if path:
            own = document.get("namespace")
            namespace = namespace or (own if isinstance(own, str) else "")
            parts = _changing(path, document, files)
            why = why or (f"{path} changes it: {', '.join(parts)}" if parts else "")
        before = fates.get(place, _Fate())
        fates[place] = before.with_(namespace, why)
        if fates[place] != before:
            ways += [(inner, namespace, why) for inner in _places(path, document)]
    return fates


def _why(fate: _Fate) -> str:
    many = len(fate.namespaces) > 1
    return fate.why or ("kustomizations put it into several namespaces" if many else "")


def _places(path: str, kustomization: Mapping[str, Any]) -> list[str]:
    listed = [*_texts(kustomization, "resources"), *_texts(kustomization, "components")]
    return [_beside(path, each) for each in listed]


def _changing(path: str, kustomization: Mapping[str, Any], files: Files) -> list[str]:
    parts = set(kustomization) - FOLLOWED
    for key in PATCHES:
        if any(_touches(path, patch, files) for patch in _listed(kustomization, key)):
            parts.add(key)
    for component in _texts(kustomization, "components"):
        beside = f"{_beside(path, component)}/kustomization.yaml"
        inner = next((d for d in files.get(beside, ()) if is_kustomization(d, beside)), None)
        if inner is None or set(inner) - FOLLOWED or any(inner.get(key) for key in PATCHES):
            parts.add("components")
    return sorted(parts)


def _touches(path: str, patch: Any, files: Files) -> bool:
    """Return whether a patch may be for a kind that is read; one that is not understood may."""
    if isinstance(patch, str):
        patch = {"patch": patch} if "\n" in patch else {"path": patch}
    if not isinstance(patch, Mapping):
        return True
    if target := patch.get("target"):
        kind = str(target.get("kind")) if isinstance(target, Mapping) else ""
        return not kind.isalnum() or kind in GROUPS or kind == "None"  # it may be an expression
    if isinstance(text := patch.get("patch"), str):
        return any(kind in text for kind in GROUPS)
    documents = files.get(_beside(path, str(patch.get("path"))))
    return documents is None or any(_kind(document) in GROUPS for document in documents)


def _kind(document: Any) -> str:
    return str(document.get("kind")) if isinstance(document, Mapping) else ""


def _patches(path: str, kustomization: Mapping[str, Any]) -> Iterator[str]:
    for key in PATCHES:
        for patch in _listed(kustomization, key):
            name = patch.get("path") if isinstance(patch, Mapping) else patch
            if isinstance(name, str) and "\n" not in name:
                yield _beside(path, name)


def _texts(document: Mapping[str, Any], key: str) -> list[str]:
    return [value for value in _listed(document, key) if isinstance(value, str)]


def _listed(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    return value if isinstance(value, list) else []


def _beside(path: str, name: str) -> str:
    """Return a path that a kustomization names, from the repository's root; "." is the root."""
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / name).parts:
        if part == "..":
            parts[-1:] = []
        else:
            parts.append(part)
    return "/".join(parts) or "."
