"""A user's GitOps directory as cluster state: every object found, and what could not be read.

Nothing is guessed: what only a tool could render (kustomize, Helm, Argo CD) is listed with its
reason, and the objects beside it are read as they stand, in the namespace that they are put into.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sandbox.cluster.documents import Broken, documents
from sandbox.cluster.kustomized import Kustomized, is_kustomization, not_rendered, placed


if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = {".yaml", ".yml", ".json"}
FOREIGN_FOLDERS = {".git", ".venv", "node_modules", "__pycache__"}
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Skipped:
    """A file, or a document of it (`path:line`), that is not part of the cluster, and why."""

    path: str
    reason: str


@dataclass
class Manifests:
    """The objects of a directory, in the order of their files, and what was left out.

    `kustomizations` are those that install charts; their `metadata.name` is their path.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    kustomizations: list[dict[str, Any]] = field(default_factory=list)


def key_of(thing: dict[str, Any]) -> Key:
    """Return what identifies an object: (API group, kind, namespace, name)."""
    group = thing["apiVersion"].rpartition("/")[0]
    meta = thing["metadata"]
    return group, thing["kind"], meta.get("namespace", ""), meta["name"]


def load(directory: Path) -> Manifests:
    """Read every Kubernetes object below `directory`; raise NotADirectoryError if it is none."""
    if not directory.is_dir():
        raise NotADirectoryError(f"no directory of manifests: {directory}")
    reader = _Reader(directory)
    reader.read()
    return reader.found()


class _Reader:
    """One walk over one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._objects: dict[Key, tuple[dict[str, Any], str]] = {}
        self._skipped: list[Skipped] = []
        self._charts: list[dict[str, Any]] = []

    def read(self) -> None:
        """Read every file, then take what is in it by what kustomizations say of it."""
        parsed = {self._name(path): list(self._documents(path)) for path in self._files()}
        kustomized = Kustomized(parsed, self._directory)
        for name, found in parsed.items():
            if name in kustomized.patches:
                by = kustomized.patches[name]
                self._skip(name, f"a patch: {by} applies it to another object")
                continue
            for document in found:
                self._take(name, document, kustomized.namespaces.get(name, ""))

    def found(self) -> Manifests:
        objects = [thing for thing, _ in self._objects.values()]
        return Manifests(objects, sorted(self._skipped, key=lambda s: s.path), self._charts)

    def _files(self) -> list[Path]:
        return [
            path
            for path in sorted(self._directory.rglob("*"))
            if path.suffix in SUFFIXES
            and not FOREIGN_FOLDERS & set(path.relative_to(self._directory).parts)
            and path.is_file()
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._directory).as_posix()

    def _documents(self, path: Path) -> Iterator[Any]:
        if _is_chart_template(path, self._directory):
            self._skip(self._name(path), "a Helm chart's template is not rendered")
            return
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (UnicodeDecodeError, OSError) as error:
            self._skip(self._name(path), f"cannot be read as text: {error}")
            return
        yield from documents(text, is_json=path.suffix == ".json")

    def _take(self, name: str, document: Any, namespace: str) -> None:
        if isinstance(document, Broken):
            self._skip(f"{name}:{document.line}", f"broken: {document.reason}")
        elif document is not None:
            for thing in _flattened(document):
                reason = why_not(thing, name)
                if not reason:
                    self._keep(name, placed(thing, namespace))
                    continue
                self._skip(name, reason)
                if is_kustomization(thing, name) and thing.get("helmCharts"):
                    self._charts.append({**thing, "metadata": {"name": name}})

    def _keep(self, name: str, thing: dict[str, Any]) -> None:
        key = key_of(thing)
        if key in self._objects:
            _, kind, namespace, own = key
            where = f"{namespace}/{own}" if namespace else own
            self._skip(name, f"{kind} {where} is already in {self._objects[key][1]}")
        else:
            self._objects[key] = (thing, name)

    def _skip(self, name: str, reason: str) -> None:
        self._skipped.append(Skipped(name, reason))


def _flattened(document: Any) -> Iterator[Any]:
    """Yield the objects of a List, or the document itself."""
    if (
        isinstance(document, dict)
        and str(document.get("kind", "")).endswith("List")
        and isinstance(document.get("items"), list)
    ):
        for item in document["items"]:
            yield from _flattened(item)
    else:
        yield document


def why_not(thing: Any, name: str) -> str:
    """Say why a document is not an object of the cluster; empty if it is one."""
    if not isinstance(thing, dict):
        return "not a Kubernetes object"
    version, kind = thing.get("apiVersion"), thing.get("kind")
    file = PurePosixPath(name).name.lower()
    if is_kustomization(thing, name):
        return not_rendered(thing)
    if file in {"chart.yaml", "chart.yml"}:
        return "a Helm chart is not rendered"
    if not isinstance(version, str) or not isinstance(kind, str):
        values = file.startswith(("values", ".argocd-source"))
        return "values for a tool that renders" if values else "not a Kubernetes object"
    return _why_no_object(thing)


def _why_no_object(thing: dict[str, Any]) -> str:
    if "sops" in thing:
        return f"an encrypted {thing['kind']} (SOPS): its content is not known here"
    meta = thing.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        return f"{thing['kind']} without metadata.name"
    return ""


def _is_chart_template(path: Path, root: Path) -> bool:
    """Say whether the file lies below the `templates` of a folder that holds a Chart.yaml."""
    inside = [parent for parent in path.parents if parent.is_relative_to(root)]
    return any(p.name == "templates" and (p.parent / "Chart.yaml").is_file() for p in inside)
