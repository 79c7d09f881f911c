"""Kustomizations: what of their files is as it stands there, and what only a tool could tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.git.kustomizations import kustomized, not_rendered


ROUTE = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}
OVERLAY = "prod/kustomization.yaml"


def files(**more: Any) -> dict[str, list[Any]]:
    """Return an overlay, with more parts, over a base of one route."""
    return {
        OVERLAY: [{"resources": ["../base"], **more}],
        "base/kustomization.yaml": [{"resources": ["./a.yaml"]}],
        "base/a.yaml": [ROUTE],
        "prod/route.yaml": [{**ROUTE, "metadata": {"name": "a"}}],
        "prod/app.yaml": [DEPLOYMENT],
        "shared/kustomization.yaml": [{"kind": "Component", "resources": ["b.yaml"]}],
        "shared/b.yaml": [ROUTE],
        "patching/kustomization.yaml": [{"kind": "Component", "patches": [{"path": "p"}]}],
    }


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"images": [], "configMapGenerator": [], "labels": []}, ""),
        ({"patches": [{"path": "app.yaml"}]}, ""),
        ({"patches": [{"target": {"kind": "Deployment"}, "patch": "- op: add"}]}, ""),
        ({"patches": [{"patch": "kind: Deployment\n"}]}, ""),
        ({"patchesStrategicMerge": ["app.yaml"]}, ""),
        ({"helmCharts": [{"name": "x"}]}, ""),
        ({"components": ["../shared"]}, ""),
        ({"namePrefix": "x-"}, "namePrefix"),
        ({"commonAnnotations": {}, "replacements": []}, "commonAnnotations, replacements"),
        ({"patches": [{"path": "route.yaml"}]}, "patches"),
        ({"patches": [{"path": "nowhere.yaml"}]}, "patches"),
        ({"patches": [{"target": {"kind": "HTTPRoute"}, "path": "app.yaml"}]}, "patches"),
        ({"patches": [{"target": {"kind": "HTTP.*"}, "patch": ""}]}, "patches"),
        ({"patches": [{"target": {"labelSelector": "a=b"}, "patch": ""}]}, "patches"),
        ({"patches": [{"patch": "kind: HTTPRoute\n"}]}, "patches"),
        ({"patchesStrategicMerge": ["kind: Gateway\n"]}, "patchesStrategicMerge"),
        ({"patchesJson6902": [7]}, "patchesJson6902"),
        ({"components": ["../patching"]}, "components"),
        ({"components": ["../nowhere"]}, "components"),
    ],
)
def test_what_a_kustomization_changes_is_not_what_its_file_says(
    more: dict[str, Any], why: str
) -> None:
    """It is left out, in folders below too; a Deployment's image changes no name."""
    left_out = kustomized(files(**more)).left_out

    assert left_out.get("base/a.yaml", "") == (why and f"{OVERLAY} changes it: {why}")
    assert "shared/b.yaml" not in left_out


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"images": []}, []),
        ({"namePrefix": "x-", "helmCharts": []}, ["helmCharts", "namePrefix"]),
        ({"resources": ["https://example.com/x.yaml", "a?ref=v1"]}, ["remote resources"]),
    ],
)
def test_what_is_not_rendered(more: dict[str, Any], parts: list[str]) -> None:
    """What changes what is read, or adds to it."""
    given = files(**more)

    assert not_rendered(OVERLAY, given[OVERLAY][0], given) == parts


def test_a_patch_is_no_object_of_its_own() -> None:
    """Whatever it is for."""
    given = files(patches=[{"path": "app.yaml"}], patchesStrategicMerge=["route.yaml"])

    assert {"prod/app.yaml", "prod/route.yaml"} <= kustomized(given).left_out.keys()


def test_the_outermost_namespace_counts() -> None:
    """As kustomize sets it last; two that are apart are two objects, which one file cannot be."""
    inner = {**files(namespace="prod")["base/kustomization.yaml"][0], "namespace": "base"}
    one = files(namespace="prod") | {"base/kustomization.yaml": [inner]}
    two = one | {"dev/kustomization.yml": [{"namespace": "dev", "resources": ["../base"]}]}

    assert kustomized(one).namespaces == {"base/a.yaml": "prod"}
    assert kustomized(two).namespaces == {}
    assert "several namespaces" in kustomized(two).left_out["base/a.yaml"]


def test_folders_that_list_each_other_a_thousand_times_over_are_soon_read() -> None:
    """A repository is anybody's: neither cycles nor diamonds cost more than a few looks each."""
    chain: dict[str, Any] = {
        f"{n}/kustomization.yaml": [
            {"resources": [f"../{n + 1}", f"../{n + 1}/", "../0"], "namespace": f"n{n}"}
        ]
        for n in range(1000)
    }
    root: dict[str, Any] = {"kustomization.yaml": [{"resources": ["0"], "namePrefix": "x-"}]}

    assert (
        kustomized(chain | {"1000/kustomization.yaml": [{"resources": ["a.yaml"]}]}).left_out == {}
    )
    last: dict[str, Any] = {
        "1000/kustomization.yaml": [{"resources": ["a.yaml"]}],
        "1000/a.yaml": [ROUTE],
    }
    assert "1000/a.yaml" in kustomized(chain | root | last).left_out


ANYTHING = st.recursive(
    st.none() | st.integers() | st.sampled_from(["../base", "a.yaml", "HTTPRoute", "patch\n"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["path", "target", "kind", "patch"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PARTS = ("resources", "components", "namespace", "patches", "patchesStrategicMerge", "target")


@given(st.dictionaries(st.sampled_from(PARTS), ANYTHING))
def test_no_kustomization_is_too_odd(parts: dict[str, Any]) -> None:
    """Nobody has checked it: it is left out, or passed over, and never a crash."""
    given_files = files() | {OVERLAY: [parts]}

    assert kustomized(given_files).left_out.keys() <= given_files.keys()
    assert isinstance(not_rendered(OVERLAY, parts, given_files), list)
