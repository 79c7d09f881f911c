"""Manifests in a commit's files: what publishes names, what is broken, what nobody rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tailkeeper.adapters.manifests import Manifests, read_manifests
from tailkeeper.git.archive import File


ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s, namespace: apps}
spec: {hostnames: [%s.example.com], parentRefs: [{name: gw}]}
"""


def read(**files: str) -> Manifests:
    """Read files whose paths have `__` for a slash and `_` for a dot."""
    named = {path.replace("__", "/").replace("_", "."): text for path, text in files.items()}
    return read_manifests([File(path, text.encode()) for path, text in named.items()])


def names(found: Manifests) -> list[str]:
    """Return the names of the objects."""
    return [one["object"]["metadata"]["name"] for one in found.objects]


def test_objects_of_every_form() -> None:
    """Several documents, a List, JSON; kinds that publish no names are passed over."""
    listed: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}},
        ],
    }

    found = read(
        a_yaml=ROUTE % ("a", "a") + "---\n" + ROUTE % ("b", "b"), c_json=json.dumps(listed)
    )

    assert names(found) == ["a", "b", "c"]
    assert [one["line"] for one in found.objects] == [1, 6, 1]
    assert found.files == ["a.yaml", "c.json"]
    assert (found.broken, found.left_out) == ([], [])


def test_a_secret_is_never_kept() -> None:
    """Whatever is pushed in the clear goes no further."""
    found = read(
        a_yaml="apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hunter2}\n",
        b_yaml="apiVersion: v1\nkind: Secret\nstringData: {k: hunter2\n",
        c_yaml="apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {a: 7}}\nk: hunter2",
    )

    assert found.objects == []
    assert len(found.broken) == 2
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (ROUTE % ("a", "a") + "---\nkind: [\n", 7, "did not find expected node content"),
        (ROUTE.replace("name: %s, ", "") % "a", 1, "HTTPRoute: it has no metadata.name"),
        (ROUTE % ("1", "a"), 1, "HTTPRoute: it has no metadata.name"),
        (
            (ROUTE % ("a", "a")).replace("apps}", "apps, annotations: {ttl: 60}}"),
            1,
            "HTTPRoute: its annotations say of ttl what is not text: put it in quotes",
        ),
        ((ROUTE % ("a", "a")).replace("[a.example.com]", "a.example.com"), 1, "spec.hostnames"),
        ((ROUTE % ("a", "a")).replace("[{name: gw}]", "[gw]"), 1, "spec.parentRefs"),
    ],
)
def test_what_is_broken_is_told_with_its_line(text: str, line: int, why: str) -> None:
    """An API server would refuse it; here it is told by file and line."""
    (broken,) = read(apps__a_yaml=text).broken

    assert (broken["path"], broken["line"]) == ("apps/a.yaml", line)
    assert why in broken["why"]


def test_files_that_are_no_text_are_broken() -> None:
    """So is one that the archive does not give."""
    found = read_manifests([File("a.yaml", b"\xff"), File("b.yaml", None, "is a link")])

    assert [(one["path"], one["line"]) for one in found.broken] == [("a.yaml", 0), ("b.yaml", 0)]


def test_what_only_a_tool_can_render_is_listed() -> None:
    """Patches, overlays, charts and their values are named, and nothing is guessed from them."""
    found = read(
        k__kustomization_yaml="resources: [a.yaml]\npatches: [{path: p.yaml}]\nnamePrefix: x-\n",
        k__p_yaml=ROUTE % ("a", "patched"),
        k__a_yaml=ROUTE % ("a", "a"),
        chart__Chart_yaml="name: c\n",
        chart__templates__r_yaml="{{ if .Values.x }}\n",
        app_yaml="apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n",
    )

    assert names(found) == []
    assert found.broken == []
    assert [one["path"] for one in found.left_out] == [
        "app.yaml",
        "chart/Chart.yaml",
        "chart/templates/r.yaml",
        "k/a.yaml",
        "k/kustomization.yaml",
        "k/p.yaml",
    ]


def test_a_kustomization_that_only_sets_a_namespace_is_followed() -> None:
    """It is what most of them do, and it takes no tool to do it."""
    found = read(
        kustomization_yaml="namespace: home\nresources: [a.yaml]\n",
        a_yaml=(ROUTE % ("a", "a")).replace(", namespace: apps", ""),
    )

    assert found.objects[0]["object"]["metadata"]["namespace"] == "home"
    assert found.left_out == []
