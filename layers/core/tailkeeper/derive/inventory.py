"""A directory's objects, by kind and by name, and the charts that its GitOps tools install."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def namespace_of(document: Mapping[str, Any]) -> str:
    """Return an object's namespace, `default` where none is written."""
    return str(document["metadata"].get("namespace") or "default")


def key_of(document: Mapping[str, Any]) -> str:
    """Return `<namespace>/<name>`."""
    return f"{namespace_of(document)}/{document['metadata']['name']}"


def annotations_of(document: Mapping[str, Any]) -> Mapping[str, str]:
    """Return an object's annotations."""
    return document["metadata"].get("annotations") or {}


def source_of(document: Mapping[str, Any]) -> str:
    """Return `<Kind> <namespace>/<name>`; a kustomization is called by its file."""
    if "helmCharts" in document:
        return f"{document['kind']} {document['metadata']['name']}"
    return f"{document['kind']} {key_of(document)}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A Helm chart as somebody installs it: its values, and who says so."""

    values: Mapping[str, Any]
    source: str


class Inventory:
    """The objects; `notes` gathers, in words, what could not be derived from them."""

    def __init__(
        self, objects: Iterable[Mapping[str, Any]], parse_yaml: Callable[[str], Any]
    ) -> None:
        self.by_kind: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for document in objects:
            if isinstance((document.get("metadata") or {}).get("name"), str):
                self.by_kind[document.get("kind", "")].append(document)
        self.notes: list[str] = []
        self._parse_yaml = parse_yaml

    def find(self, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """Return one object; a namespace of None is for kinds that have none."""
        for document in self.by_kind[kind]:
            if document["metadata"]["name"] == name and (
                namespace is None or namespace_of(document) == namespace
            ):
                return document
        return None

    def charts(self, name: str) -> Iterator[Chart]:
        """Yield every installation of one chart: by Argo CD, Flux, k3s, or a kustomization."""
        readers = {
            "Application": self._application,
            "ApplicationSet": self._application_set,
            "HelmRelease": self._flux,
            "HelmChart": self._k3s,
            "Kustomization": self._kustomize,
        }
        for kind, read in readers.items():
            for owner in self.by_kind[kind]:
                try:
                    yield from read(name, owner)
                except (AttributeError, TypeError):  # no API server has checked these kinds
                    self.notes.append(f"{source_of(owner)} is left out: it is not shaped as such")

    def _application(self, name: str, owner: Mapping[str, Any]) -> Iterator[Chart]:
        yield from self._argo_cd(name, owner, owner.get("spec") or {})

    def _application_set(self, name: str, owner: Mapping[str, Any]) -> Iterator[Chart]:
        template = (owner.get("spec") or {}).get("template") or {}
        yield from self._argo_cd(name, owner, template.get("spec") or {})

    def _k3s(self, name: str, owner: Mapping[str, Any]) -> Iterator[Chart]:
        spec = owner.get("spec") or {}
        if spec.get("valuesContent") and _last(spec.get("chart")) == name:
            yield Chart(self._values(spec["valuesContent"], owner), source_of(owner))

    def _argo_cd(
        self, name: str, owner: Mapping[str, Any], spec: Mapping[str, Any]
    ) -> Iterator[Chart]:
        for source in [spec.get("source") or {}, *(spec.get("sources") or ())]:
            helm = source.get("helm") or {}
            if (source.get("chart") or (helm and _last(source.get("path")))) != name:
                continue
            # Argo CD takes valuesObject before values, and lays files and parameters around them.
            values = helm.get("valuesObject") or self._values(helm.get("values") or "", owner)
            for unread in ("valueFiles", "parameters", "fileParameters"):
                if helm.get(unread):
                    self.notes.append(f"{source_of(owner)}: helm.{unread} is not read")
            yield Chart(values, source_of(owner))

    def _flux(self, name: str, release: Mapping[str, Any]) -> Iterator[Chart]:
        spec = release.get("spec") or {}
        chart = ((spec.get("chart") or {}).get("spec") or {}).get("chart")
        if name not in {_last(chart), self._referred(release, spec.get("chartRef") or {})}:
            return
        if spec.get("valuesFrom"):
            self.notes.append(f"{source_of(release)}: valuesFrom is not read")
        yield Chart(spec.get("values") or {}, source_of(release))

    def _referred(self, release: Mapping[str, Any], ref: Mapping[str, Any]) -> str:
        """Return the chart that a `chartRef` means: that of the repository, whatever its name."""
        name = ref.get("name", "")
        place = ref.get("namespace") or namespace_of(release)
        repository = self.find("OCIRepository", place, name) or {}
        return _last((repository.get("spec") or {}).get("url")) or name

    def _kustomize(self, name: str, owner: Mapping[str, Any]) -> Iterator[Chart]:
        for chart in owner.get("helmCharts") or ():
            if chart.get("name") != name:
                continue
            if chart.get("valuesFile"):
                self.notes.append(f"{source_of(owner)}: valuesFile is not read")
            yield Chart(chart.get("valuesInline") or {}, source_of(owner))

    def _values(self, text: str, owner: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            values = self._parse_yaml(text)
        except ValueError as error:
            self.notes.append(f"{source_of(owner)}: its Helm values cannot be read: {error}")
            return {}
        return values if isinstance(values, dict) else {}


def _last(path: str | None) -> str:
    return (path or "").rpartition("/")[2]
