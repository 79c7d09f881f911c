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
from tailkeeper.git.kinds import is_read
from tailkeeper.git.kustomizations import is_kustomization, kustomized, not_rendered
from tailkeeper.shapes import flattened, misshapen
from tailkeeper.trims import TRIMS, trimmed


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.git.archive import File

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
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
    values = {p: [d.value for d in read if isinstance(d, Document)] for p, read in parsed.items()}
    left_out, namespaces = kustomized(values)
    for path, read in sorted(parsed.items()):
        if why := _not_ours(path, parsed) or left_out.get(path):
            found.left_out.append({"path": path, "why": why})
            continue
        for document in read:
            if isinstance(document, Broken):
                found.note_broken(path, document.line, document.why)
                continue
            for thing in flattened(document.value):
                if why := _why_not_rendered(thing, path, values):
                    found.left_out.append({"path": path, "why": why})
                else:
                    _take(found, path, document.line, thing, namespaces.get(path, ""))
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
    if not isinstance(thing, Mapping) or not is_read(thing):
        return
    if why := misshapen(thing):
        found.note_broken(path, line, f"{thing['kind']}: {why}")
        return
    kept = TRIMS.get(thing["kind"], trimmed)(thing) | {"status": {}}
    if namespace and thing["kind"] != "Namespace":
        kept["metadata"]["namespace"] = namespace
    found.objects.append({"kind": thing["kind"], "path": path, "line": line, "object": kept})


def _why_not_rendered(thing: Any, path: str, files: Mapping[str, list[Any]]) -> str:
    if not isinstance(thing, Mapping):
        return ""
    group, kind = str(thing.get("apiVersion")).rpartition("/")[0], str(thing.get("kind"))
    if is_kustomization(thing, path):
        parts = not_rendered(path, thing, files)
        return f"a kustomization is not rendered: {', '.join(parts)}" if parts else ""
    if RENDERED.get(kind) == group:
        return f"a {kind} is not rendered: what it installs is not known"
    return "it is encrypted (SOPS)" if "sops" in thing and is_read(thing) else ""


def _not_ours(path: str, paths: Iterable[str]) -> str:
    name = PurePosixPath(path)
    if any(p.name == "templates" and f"{p.parent}/Chart.yaml" in paths for p in name.parents):
        return "a Helm chart's template is not rendered"
    return "a Helm chart is not rendered" if name.name in {"Chart.yaml", "Chart.yml"} else ""
