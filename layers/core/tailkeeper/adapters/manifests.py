"""Kubernetes manifests in files of a repository: the objects that publish names, and the rest.

Nothing is guessed: what only a tool could render (kustomize, Helm, Argo CD, Flux) is listed with
its reason. Secrets are never kept, and no message quotes what a file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.yaml_documents import Broken, Document, documents
from tailkeeper.trims import TRIMS, trimmed


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.git.archive import File

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
GATEWAY_API = "gateway.networking.k8s.io"
GROUPS = {
    "Gateway": GATEWAY_API,
    "HTTPRoute": GATEWAY_API,
    "GRPCRoute": GATEWAY_API,
    "TLSRoute": GATEWAY_API,
    "TCPRoute": GATEWAY_API,
    "UDPRoute": GATEWAY_API,
    "ListenerSet": GATEWAY_API,
    "Namespace": "",
    "Service": "",
    "Ingress": "networking.k8s.io",
    "ProxyGroup": "tailscale.com",
}
"""The kinds that decide which names are published, each with its API group."""

LISTS = {"hostnames": str, "parentRefs": dict, "listeners": dict}
PLAIN = frozenset({"apiVersion", "kind", "metadata", "namespace", "resources"})
RENDERED = {
    "Application": "argoproj.io",
    "ApplicationSet": "argoproj.io",
    "HelmChart": "helm.cattle.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
}


def is_manifest(path: str) -> bool:
    """Return whether a path may hold manifests, by its suffix."""
    return PurePosixPath(path).suffix in SUFFIXES


@dataclass
class Manifests:
    """What a commit's files say: see docs/documents.md, Commit."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def note_broken(self, path: str, line: int, why: str) -> None:
        """Note what cannot be read; line 0 is the whole file."""
        self.broken.append({"path": path, "line": line, "why": why})


def read_manifests(files: Iterable[File]) -> Manifests:
    """Read the files of a commit."""
    found = Manifests()
    parsed = {file.path: list(_parsed(file, found)) for file in files}
    found.files = sorted(parsed)
    kustomized = _Kustomized(parsed)
    for path, read in sorted(parsed.items()):
        if why := _not_ours(path, parsed) or kustomized.patches.get(path):
            found.left_out.append({"path": path, "why": why})
            continue
        for document in read:
            for thing in _flattened(document.value) if isinstance(document, Document) else ():
                _take(found, path, document.line, thing, kustomized.namespaces.get(path, ""))
            if isinstance(document, Broken):
                found.note_broken(path, document.line, document.why)
    return found


def _parsed(file: File, found: Manifests) -> Iterator[Document | Broken]:
    if file.content is None:
        found.note_broken(file.path, 0, file.why)
        return
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        found.note_broken(file.path, 0, "is not text in UTF-8")
        return
    yield from documents(text, is_json=file.path.endswith(".json"))


def _take(found: Manifests, path: str, line: int, thing: Any, namespace: str) -> None:
    if why := _why_not_rendered(thing, path):
        found.left_out.append({"path": path, "why": why})
    elif isinstance(thing, Mapping) and is_read(thing):
        if why := _misshapen(thing):
            found.note_broken(path, line, f"{thing['kind']}: {why}")
            return
        kept = TRIMS.get(thing["kind"], trimmed)(thing) | {"status": {}}
        if namespace and thing["kind"] != "Namespace":
            kept["metadata"]["namespace"] = namespace
        found.objects.append({"kind": thing["kind"], "path": path, "line": line, "object": kept})


def is_read(thing: Mapping[str, Any]) -> bool:
    """Return whether an object is of a kind that publishes names."""
    group = str(thing.get("apiVersion")).rpartition("/")[0]
    return GROUPS.get(str(thing.get("kind"))) == group


def _misshapen(thing: Mapping[str, Any]) -> str:
    """Say in what an object is not one, or ""; no API server has seen it."""
    meta = thing.get("metadata")
    if not isinstance(meta, Mapping) or not isinstance(meta.get("name"), str):
        return "it has no metadata.name"
    if not isinstance(meta.get("namespace") or "", str):
        return "its namespace is not text"
    wrong = (_not_text(part, meta.get(part) or {}) for part in ("labels", "annotations"))
    return next(filter(None, wrong), "") or _wrong_spec(thing.get("spec") or {})


def _not_text(part: str, values: Any) -> str:
    if not isinstance(values, Mapping):
        return f"its {part} are no mapping"
    other = next((key for key, value in values.items() if not isinstance(value, str)), "")
    return f"its {part} say of {other} what is not text: put it in quotes" if other else ""


def _wrong_spec(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        return "its spec is no mapping"
    for part, kind in LISTS.items():
        values = spec.get(part) or []
        if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
            return f"its spec.{part} is no list of the right kind"
    return ""


def _why_not_rendered(thing: Any, path: str) -> str:
    if not isinstance(thing, Mapping):
        return ""
    group, kind = str(thing.get("apiVersion")).rpartition("/")[0], str(thing.get("kind"))
    if is_kustomization(thing, path):
        remote = [r for r in _listed(thing, "resources") if "://" in str(r) or "?ref=" in str(r)]
        parts = sorted(set(thing) - PLAIN) + (["remote resources"] if remote else [])
        return f"a kustomization is not rendered: {', '.join(parts)}" if parts else ""
    if RENDERED.get(kind) == group:
        return f"a {kind} is not rendered: what it installs is not known"
    return "it is encrypted (SOPS)" if "sops" in thing and is_read(thing) else ""


def is_kustomization(thing: Any, path: str) -> bool:
    """Return whether a document is a kustomization, by its API group or its file's name."""
    version = str(thing.get("apiVersion")) if isinstance(thing, Mapping) else ""
    named = PurePosixPath(path).stem.lower() == "kustomization"
    return version.startswith("kustomize.config.k8s.io/") or (named and version == "None")


def _not_ours(path: str, paths: Iterable[str]) -> str:
    name = PurePosixPath(path)
    if any(p.name == "templates" and f"{p.parent}/Chart.yaml" in paths for p in name.parents):
        return "a Helm chart's template is not rendered"
    return "a Helm chart is not rendered" if name.name in {"Chart.yaml", "Chart.yml"} else ""


def _flattened(value: Any) -> Iterator[Any]:
    """Yield the objects of a List, or the object itself."""
    items = value.get("items") if isinstance(value, Mapping) else None
    if isinstance(items, list) and str(value.get("kind")).endswith("List"):
        for item in items:
            yield from _flattened(item)
    else:
        yield value


class _Kustomized:
    """What kustomizations do to files beside them: the patches they are, the namespace they get."""

    def __init__(self, parsed: Mapping[str, list[Document | Broken]]) -> None:
        self.patches: dict[str, str] = {}
        self.namespaces: dict[str, str] = {}
        for path, read in parsed.items():
            for document in read:
                if isinstance(document, Document) and is_kustomization(document.value, path):
                    self._read(path, document.value)

    def _read(self, path: str, kustomization: Mapping[str, Any]) -> None:
        folder = PurePosixPath(path).parent
        for patch in _listed(kustomization, "patches"):
            if isinstance(patch, Mapping) and isinstance(patch.get("path"), str):
                self._note(folder, patch["path"], path)
        for patch in _listed(kustomization, "patchesStrategicMerge"):
            if isinstance(patch, str) and "\n" not in patch:
                self._note(folder, patch, path)
        if isinstance(namespace := kustomization.get("namespace"), str):
            for resource in _listed(kustomization, "resources"):
                self.namespaces[_joined(folder, str(resource))] = namespace

    def _note(self, folder: PurePosixPath, patch: str, by: str) -> None:
        self.patches[_joined(folder, patch)] = f"a patch: {by} applies it to another object"


def _listed(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    return value if isinstance(value, list) else []


def _joined(folder: PurePosixPath, path: str) -> str:
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == "..":
            parts[-1:] = []
        else:
            parts.append(part)
    return "/".join(parts)
