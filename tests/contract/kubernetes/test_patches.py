"""The patch formats, by the examples of their own documents."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes.kinds.builtin import builtin_kinds
from sandbox.kubernetes.patches.json import PatchFailed, json_patch
from sandbox.kubernetes.patches.merge import merge_patch
from sandbox.kubernetes.patches.strategic import strategic_patch


DEPLOYMENT = builtin_kinds().resources["apps", "deployments"].schema


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "foo"}, "bar", "bar"),
    ],
)
def test_merge_patches_follow_rfc_7386(target: Any, patch: Any, result: Any) -> None:
    """The table of the RFC's appendix."""
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": 1}], {"foo": "bar", "baz": 1}),
        ({"foo": [1, 3]}, [{"op": "add", "path": "/foo/1", "value": 2}], {"foo": [1, 2, 3]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": [2]}], {"foo": [1, [2]]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"foo": [1, 2]}, [{"op": "remove", "path": "/foo/0"}], {"foo": [2]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}], {"a": 2}),
        (
            {"foo": {"x": 1}, "q": {}},
            [{"op": "move", "from": "/foo/x", "path": "/q/y"}],
            {"foo": {}, "q": {"y": 1}},
        ),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a/b": 1}, [{"op": "replace", "path": "/a~1b", "value": 2}], {"a/b": 2}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
    ],
)
def test_json_patches_follow_rfc_6902(target: Any, operations: Any, result: Any) -> None:
    """The RFC's own examples."""
    before = repr(target)

    assert json_patch(target, operations) == result
    assert repr(target) == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "add", "path": "/missing/deep", "value": 1},
        {"op": "move", "from": "/missing", "path": "/b"},
        {"op": "conjure", "path": "/a"},
        {"op": "add", "path": "no-slash", "value": 1},
    ],
)
def test_json_patches_that_do_not_apply_fail(operation: dict[str, Any]) -> None:
    """A failed operation is an error, not a silent skip."""
    with pytest.raises(PatchFailed):
        json_patch({"a": 1}, [operation])


def pod(**spec: Any) -> dict[str, Any]:
    """Return a Deployment whose pods have this spec."""
    return {"spec": {"template": {"spec": spec}}}


A = {"name": "a", "image": "a:1"}
B = {"name": "b", "image": "b:1"}


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [
        pytest.param(
            pod(containers=[A, B]),
            pod(containers=[{"name": "b", "image": "b:2"}]),
            pod(containers=[A, {"name": "b", "image": "b:2"}]),
            id="entries are merged by key",
        ),
        pytest.param(
            pod(containers=[A]),
            pod(containers=[B]),
            pod(containers=[A, B]),
            id="new entries come last",
        ),
        pytest.param(
            pod(containers=[A, B]),
            pod(containers=[{"name": "a", "$patch": "delete"}]),
            pod(containers=[B]),
            id="an entry is deleted",
        ),
        pytest.param(
            pod(containers=[A, B]),
            pod(containers=[{"$patch": "replace"}, B]),
            pod(containers=[B]),
            id="a list is replaced",
        ),
        pytest.param(
            pod(containers=[A, B]),
            pod(**{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
            pod(containers=[B, A]),
            id="an order is set",
        ),
        pytest.param(
            pod(containers=[{**A, "args": ["x", "y"]}]),
            pod(containers=[{"name": "a", "args": ["z"]}]),
            pod(containers=[{**A, "args": ["z"]}]),
            id="lists without keys are replaced",
        ),
        pytest.param(
            pod(volumes=[{"name": "v", "emptyDir": {}}]),
            pod(
                volumes=[
                    {"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}
                ]
            ),
            pod(volumes=[{"name": "v", "secret": {"secretName": "s"}}]),
            id="only the retained keys stay",
        ),
        pytest.param(
            pod(nodeSelector={"a": "1"}, hostname="h"),
            pod(nodeSelector={"$patch": "replace", "b": "2"}, hostname=None),
            pod(nodeSelector={"b": "2"}),
            id="an object is replaced and null removes",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}},
            {"metadata": {"finalizers": ["b", "c"]}},
            id="a set gains and loses members",
        ),
        pytest.param(
            pod(),
            pod(containers=[A, {"name": "x", "$patch": "delete"}]),
            pod(containers=[A]),
            id="directives do not stay in a new list",
        ),
    ],
)
def test_strategic_merge_patches_follow_the_fields(live: Any, patch: Any, result: Any) -> None:
    """The directives of Kubernetes' document on strategic merge patch."""
    before = repr(live)

    assert strategic_patch(DEPLOYMENT, live, patch) == result
    assert repr(live) == before
