"""Directories of manifests, as users keep them, read into cluster state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.cluster.documents import Broken, documents
from sandbox.cluster.manifests import Manifests, load


if TYPE_CHECKING:
    from pathlib import Path


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: apps}\n"


def write(folder: Path, files: dict[str, str]) -> Manifests:
    """Lay out a directory and read it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return load(folder)


def names(found: Manifests) -> list[str]:
    """Return the objects' names."""
    return [thing["metadata"]["name"] for thing in found.objects]


def test_it_finds_objects_in_every_kind_of_file(tmp_path: Path) -> None:
    """Several documents, JSON, Lists in Lists, any suffix and any kind."""
    found = write(
        tmp_path,
        {
            "a/many.yaml": f"# first\n---\n{SERVICE % 'one'}---\n{SERVICE % 'two'}---\n---\n",
            "b.yml": "apiVersion: acme.example/v7\nkind: Widget\nmetadata: {name: three}\n",
            "c.json": '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1",'
            ' "kind": "ServiceList", "items": [{"apiVersion": "v1", "kind": "Service",'
            ' "metadata": {"name": "four"}}]}]}',
            ".git/config.yaml": SERVICE % "never",
        },
    )

    assert names(found) == ["one", "two", "three", "four"]
    assert found.skipped == []


@pytest.mark.parametrize(
    ("name", "text", "where", "reason"),
    [
        ("bad.yaml", SERVICE % "x" + "spec: [1,\n", "bad.yaml:5", "broken"),
        ("bad.json", '{"kind":\n oops}', "bad.json:2", "broken"),
        ("self.yaml", "a: &a [*a]", "self.yaml:1", "an alias stands for itself"),
        ("tag.yaml", "a: !Sub x", "tag.yaml:1", "broken: could not determine a constructor"),
        ("latin.yaml", "name: \udce9", "latin.yaml", "cannot be read as text"),
        ("app.yaml", "name: docs\npath: apps/docs\n", "app.yaml", "not a Kubernetes object"),
        ("list.yaml", "- a\n- b\n", "list.yaml", "not a Kubernetes object"),
        (
            "meta.yaml",
            "apiVersion: v1\nkind: X\nmetadata: [a]",
            "meta.yaml",
            "without metadata.name",
        ),
        ("values.yaml", "replicas: 2\n", "values.yaml", "values for a tool that renders"),
        ("anon.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}", "anon.yaml", "without metadata"),
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0", "Chart.yaml", "Helm chart"),
        ("secret.yaml", SERVICE % "s" + "sops: {mac: x}\n", "secret.yaml", "encrypted Service"),
        (
            "kustomization.yaml",
            "namespace: web\nresources: [a.yaml, 'https://example.com/b.yaml']\n",
            "kustomization.yaml",
            "as they stand; not fetched: https://example.com/b.yaml",
        ),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    tmp_path: Path, name: str, text: str, where: str, reason: str
) -> None:
    """Each defect has its file, its line where there is one, and its reason."""
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))

    found = write(tmp_path, {"zz.yaml": SERVICE % "rest"})

    assert [s.path for s in found.skipped] == [where]
    assert reason in found.skipped[0].reason
    assert names(found) == ["rest"]


def test_a_document_after_a_broken_one_is_still_read(tmp_path: Path) -> None:
    """Only the broken document is lost, and its line is that of the file."""
    found = write(tmp_path, {"x.yaml": f"{SERVICE % 'a'}---\nk: [\n---\n{SERVICE % 'b'}"})

    assert names(found) == ["a", "b"]
    assert [s.path for s in found.skipped] == ["x.yaml:6"]


def test_templates_and_patches_are_not_taken_for_objects(tmp_path: Path) -> None:
    """A patch is part of an object, a template none; both are listed with their reason."""
    found = write(
        tmp_path,
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: web\n",
            "chart/templates/svc.yaml": "name: {{ .Values.name }}\n",
            "over/kustomization.yaml": "patches: [{path: ../base/patch.yaml}]\n",
            "base/patch.yaml": SERVICE % "patched",
            "base/templates/kept.yaml": SERVICE % "kept",
        },
    )

    assert names(found) == ["kept"]
    reasons = {s.path: s.reason for s in found.skipped}
    assert "template is not rendered" in reasons["chart/templates/svc.yaml"]
    assert "over/kustomization.yaml applies it" in reasons["base/patch.yaml"]


KUSTOMIZE = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n"
FLUX = """
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %s}
spec: {path: ./cluster/%s, targetNamespace: %s}
"""
BARE = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"


def test_objects_are_in_the_namespace_that_kustomizations_give_them(tmp_path: Path) -> None:
    """Through folders, the outermost counts; Flux's win; two ways to a file say nothing."""
    space, cluster_wide = (
        BARE.replace("Service", "Namespace"),
        BARE.replace("Service", "ProxyGroup"),
    )
    found = write(
        tmp_path / "cluster",
        {
            "net/kustomization.yaml": f"{KUSTOMIZE}namespace: net\nresources: [ns.yaml, a, "
            "ks.yaml]",
            "net/ns.yaml": space % "_",
            "net/ks.yaml": FLUX % ("b", "net/b/app", "flux") + "---" + FLUX % ("c", "gone", "x"),
            "net/a/kustomization.yaml": f"{KUSTOMIZE}namespace: inner\nresources: [./one.yaml]",
            "net/a/one.yaml": BARE % "one" + "---\n" + cluster_wide % "wide",
            "net/b/app/kustomization.yml": "resources: [two.yaml]",
            "net/b/app/two.yaml": SERVICE % "two",
            "plain/ks.yaml": FLUX % ("d", "plain/deep", "deep"),
            "plain/deep/er/three.yaml": BARE % "three",
            "over/kustomization.yaml": f"{KUSTOMIZE}namespace: over\nresources: [../base]",
            "under/kustomization.yaml": f"{KUSTOMIZE}namespace: under\nresources: [../base]",
            "base/kustomization.yaml": f"{KUSTOMIZE}resources: [four.yaml, ../base]",
            "base/four.yaml": SERVICE % "four",
        },
    )

    places = {t["metadata"]["name"]: t["metadata"].get("namespace") for t in found.objects}
    assert places | {"b": "net", "c": "net", "d": None} == places
    assert {name: places[name] for name in ("one", "wide", "two", "three", "four", "net")} == {
        "one": "net",
        "wide": None,
        "two": "flux",
        "three": "deep",
        "four": "apps",
        "net": None,
    }


def test_charts_of_a_kustomization_are_kept_by_its_path(tmp_path: Path) -> None:
    """Nothing else says that the chart is installed, and with which values."""
    text = f"{KUSTOMIZE}helmCharts: [{{name: external-dns, valuesInline: {{a: b}}}}]"

    (found,) = write(tmp_path, {"dns/kustomization.yaml": text}).kustomizations

    assert found["metadata"] == {"name": "dns/kustomization.yaml"}
    assert found["helmCharts"][0]["valuesInline"] == {"a": "b"}


def test_the_first_of_two_definitions_counts(tmp_path: Path) -> None:
    """Overlays define an object twice; nobody could tell which one the cluster runs."""
    found = write(tmp_path, {"a.yaml": SERVICE % "web", "b.yaml": SERVICE % "web"})

    assert names(found) == ["web"]
    assert found.skipped[0].reason == "Service apps/web is already in a.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-05-01", "2024-05-01"),
        ("22:22", "22:22"),
        ("190:20:30.15", "190:20:30.15"),
        ("0o17", "0o17"),
        ("010", 8),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("on", True),
        ("{2: a, true: b}", {"2": "a", "true": "b"}),
        ("=", "="),
        ("null", None),
    ],
)
def test_scalars_are_read_as_kubernetes_reads_them(text: str, value: Any) -> None:
    """Dates and sixty-based numbers stay text, keys become JSON's."""
    assert list(documents(text)) == [value]


def test_a_broken_document_knows_its_line() -> None:
    """Lines count from the start of the file."""
    assert list(documents("a: 1\n---\nb: {\n")) == [
        {"a": 1},
        Broken(4, "did not find expected node content"),
    ]


def test_a_real_repository_loads(user_repository: Path) -> None:
    """Every object of a public homelab is found; what only a tool renders is listed."""
    found = load(user_repository)

    kinds = [thing["kind"] for thing in found.objects]
    assert kinds.count("HTTPRoute") == 13
    assert kinds.count("Application") == 13
    assert not [s for s in found.skipped if "broken" in s.reason]
    assert any("envoy-gateway-crds.yaml" in s.reason for s in found.skipped)
