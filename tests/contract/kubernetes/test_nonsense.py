"""Whatever is sent, the server answers in the API's words, and keeps only what is well formed."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kubernetes import Kubernetes
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.kinds.decode import decode
from sandbox.kubernetes.wire.bodies import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    accepted_patches,
    patcher,
)
from sandbox.kubernetes.writes.options import WriteOptions


if TYPE_CHECKING:
    from collections.abc import Iterator

POD = {"containers": [{"name": "c", "image": "x:1", "ports": [{"containerPort": 53}]}]}
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}},
    {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "1"}, "data": {"b": "MQ=="}},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": POD},
        },
    },
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "spec": {
            "hostnames": ["a.example.com"],
            "parentRefs": [{"name": "gw"}],
            "rules": [{"backendRefs": [{"name": "x", "port": 80}]}],
        },
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "u"}],
    },
]
METADATA = {"name": "x", "namespace": "default", "labels": {"a": "b"}, "finalizers": ["e.com/f"]}
NOTHING: list[Any] = [None, 0, "", [], {}, [None], [{}], {"a": None}, [[1]]]
JUNK = [*NOTHING, -1, 1.5, True, "x", ["x"], {"$patch": "delete"}]
WAYS = ["create", "replace", "apply", MERGE_PATCH, STRATEGIC_PATCH, JSON_PATCH]


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member, at any depth."""
    members = enumerate(value) if isinstance(value, list) else ()
    for key, member in value.items() if isinstance(value, dict) else members:
        yield (*prefix, key)
        yield from paths(member, (*prefix, key))


@st.composite
def mutants(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Draw an object, the object with one member replaced by junk, and a JSON patch for that."""
    original = {**draw(st.sampled_from(OBJECTS)), "metadata": METADATA}
    mutant = deepcopy(original)
    path = draw(st.sampled_from(sorted(paths(original), key=str)))
    junk = draw(st.sampled_from(JUNK))
    parent: Any = mutant
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = junk
    pointer = "/" + "/".join(str(key).replace("/", "~1") for key in path)
    return original, mutant, [{"op": "replace", "path": pointer, "value": junk}]


class Shared:
    """A cluster that all examples share, with a short name for when one of them fails."""

    def __init__(self) -> None:
        self.cluster = Kubernetes().cluster

    def __repr__(self) -> str:
        return "cluster"


@pytest.fixture(scope="module")
def shared() -> Shared:
    """Return the one cluster."""
    return Shared()


@settings(deadline=None, max_examples=300)
@given(mutants(), st.sampled_from(WAYS), st.sampled_from(["Strict", "Warn"]))
def test_no_write_breaks_the_server(
    shared: Shared,
    mutant: tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]],
    how: str,
    strictness: str,
) -> None:
    """A write is carried out or refused with an ApiError; what is stored then fits its kind."""
    original, changed, operations = mutant
    cluster = shared.cluster
    target = cluster.target_of(original)
    resource = target.resource
    cluster.store.delete(resource.key, ("default", "x"))
    options = WriteOptions("tests", strictness=strictness, force=True)
    if how != "create":
        cluster.writer.create(target, original, WriteOptions("tests"))
    with suppress(ApiError):
        if how in {"create", "replace", "apply"}:
            getattr(cluster.writer, how)(target, changed, options)
        elif how in accepted_patches(resource):
            patch = operations if how == JSON_PATCH else changed
            cluster.writer.patch(target, patcher(resource, how, patch), options)
    for stored in cluster.store.all(resource.key, "default"):
        decoded = decode(resource.schema, stored, resource.kind)
        assert (decoded.unknown, decoded.mistyped) == ([], [])
        assert stored["kind"] == resource.kind
