"""The admin port, the request log, and the state that survives."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from sandbox.kubernetes.server import Kubernetes


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.kubernetes.conftest import Rig

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "annotations": {}},
    "data": {"password": base64.b64encode(b"hush-hush").decode()},
    "stringData": {"other": "hush-hush"},
}
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c"},
    "data": {"a": "1"},
}


def test_the_log_shows_no_secrets(rig: Rig, lab: str) -> None:
    """Secrets' contents are hidden in every form of write; ConfigMaps are shown."""
    http, admin = rig.http(), rig.kubernetes.admin_url
    httpx.delete(f"{admin}/requests")
    path = f"/api/v1/namespaces/{lab}/secrets"
    body = json.loads(json.dumps(SECRET))
    last = "kubectl.kubernetes.io/last-applied-configuration"
    body["metadata"]["annotations"][last] = json.dumps(SECRET)
    assert http.post(path, json=body).status_code == 201
    writes: list[tuple[str, Any]] = [
        ("application/merge-patch+json", {"stringData": {"password": "hush-hush"}}),
        (
            "application/json-patch+json",
            [{"op": "add", "path": "/data/x", "value": "aHVzaC1odXNo"}],
        ),
    ]
    for content_type, patch in writes:
        headers = {"Content-Type": content_type}
        assert http.patch(f"{path}/s", json=patch, headers=headers).is_success
    yaml = "apiVersion: v1\nkind: Secret\nmetadata: {name: y}\nstringData: {a: hush-hush}\n"
    headers = {"Content-Type": "application/apply-patch+yaml"}
    applied = http.patch(f"{path}/y", params={"fieldManager": "t"}, content=yaml, headers=headers)
    assert applied.status_code == 201
    http.post(f"/api/v1/namespaces/{lab}/configmaps", json=CONFIG_MAP)

    log = httpx.get(f"{admin}/requests").json()
    assert [entry["status"] for entry in log] == [201, 200, 200, 201, 201]
    text = json.dumps(log)
    for told in ("hush-hush", "aHVzaC1odXNo"):
        assert told not in text
    assert log[-1]["body"] == CONFIG_MAP


def test_faults_replace_answers(rig: Rig, lab: str) -> None:
    """A fault by path hits once; a truncated list loses its end."""
    http, admin = rig.http(), rig.kubernetes.admin_url
    for name in ("a", "b", "c"):
        http.post(
            f"/api/v1/namespaces/{lab}/configmaps", json={**CONFIG_MAP, "metadata": {"name": name}}
        )
    path = f"/api/v1/namespaces/{lab}/configmaps"
    httpx.post(
        f"{admin}/faults",
        json=[{"path": path, "status": 503, "body": {}}, {"path": path, "truncate": 1}],
    )

    answers = [http.get(path) for _ in range(3)]
    assert [a.status_code for a in answers] == [503, 200, 200]
    assert [len(a.json()["items"]) for a in answers[1:]] == [1, 3]


def test_a_given_state_replaces_all_objects(rig: Rig) -> None:
    """PUT brings objects as they are, keeps what every cluster has, and tells watchers."""
    admin = rig.kubernetes.admin_url
    seen: list[tuple[str, str]] = []
    rig.kubernetes.subscribe(lambda kind, thing: seen.append((kind, thing["metadata"]["name"])))
    before = httpx.get(f"{admin}/state").json()
    bare = {**CONFIG_MAP, "metadata": {"name": "bare", "namespace": "default"}}
    strange = {
        "apiVersion": "example.com/v1",
        "kind": "Berry",
        "metadata": {"name": "x", "namespace": "default"},
    }
    put = httpx.put(f"{admin}/state", json={"objects": [*before["objects"], bare, strange]})
    assert put.status_code == 204

    assert ("ADDED", "bare") in seen
    assert rig.http().get("/apis/example.com/v1/berries").json()["items"][0]["kind"] == "Berry"
    assert httpx.put(f"{admin}/state", json=before).status_code == 204
    assert ("DELETED", "bare") in seen
    after = httpx.get(f"{admin}/state").json()
    assert [o["metadata"]["name"] for o in after["objects"]] == [
        o["metadata"]["name"] for o in before["objects"]
    ]
    assert httpx.put(f"{admin}/state", json={"objects": [{"kind": "x"}]}).status_code == 400


async def _life(path: Path, work: Any) -> Any:
    """Start a server on a file, do something in it, stop it."""
    kubernetes = Kubernetes(path=path, admin_token="a")
    await kubernetes.start()
    try:
        return await work(kubernetes)
    finally:
        await kubernetes.stop()


def test_a_restart_is_not_noticed(tmp_path: Path) -> None:
    """Objects, versions, uids, tokens and kinds from manifests are there again."""
    path = tmp_path / "kubernetes.json"

    async def first(kubernetes: Kubernetes) -> Any:
        berry = {
            "apiVersion": "example.com/v1",
            "kind": "Berry",
            "metadata": {"name": "b", "namespace": "x"},
        }
        assert kubernetes.load_objects([CONFIG_MAP, berry]) == []
        kubernetes.patch("ConfigMap", "default", "c", {"data": {"b": "2"}}, "tests")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        token = kubernetes.service_account_token("default", "default")
        return token, kubernetes.dump(), kubernetes.cluster.store.revision

    async def second(kubernetes: Kubernetes) -> Any:
        user = kubernetes.cluster.authenticator.of_token(token)
        return user, kubernetes.dump(), kubernetes.cluster.store.revision

    token, state, revision = asyncio.run(_life(path, first))
    user, again, still = asyncio.run(_life(path, second))
    assert again == state
    assert still == revision
    assert user
    assert user.name == "system:serviceaccount:default:default"


def test_a_write_is_saved_before_it_is_answered(tmp_path: Path) -> None:
    """Whoever got an answer finds the object after a kill."""
    path = tmp_path / "kubernetes.json"

    async def post(kubernetes: Kubernetes) -> list[str]:
        async with httpx.AsyncClient(headers={"Authorization": "Bearer a"}) as http:
            url = f"{kubernetes.base_url}/api/v1/namespaces/default/configmaps"
            assert (await http.post(url, json=CONFIG_MAP)).status_code == 201
        saved = json.loads(path.read_text())
        return [o["metadata"]["name"] for o in saved["objects"] if o["kind"] == "ConfigMap"]

    assert asyncio.run(_life(path, post)) == ["c"]


def test_manifests_load_in_any_order(kubernetes: Kubernetes) -> None:
    """Kinds come before their objects, namespaces are made, what is refused is told."""
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "apps"},
        "spec": {"hostnames": ["a.example.com"]},
    }
    class_ = {"apiVersion": "example.com/v1", "kind": "StorageBox", "metadata": {"name": "b"}}
    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    releases = [release | {"metadata": {"name": "r", **more}} for more in ({}, {"namespace": "n"})]
    name = {"name": "n", "namespace": "apps"}
    no_host = {**route, "metadata": name, "spec": {"hostnames": ["a_b.${DOMAIN}"]}}
    bad = {**CONFIG_MAP, "metadata": {"name": "BAD"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [route, bad]}
    refused = kubernetes.load_objects([listed, class_, no_host, {"kind": "Nothing"}, *releases])

    reasons = {r.document["kind"]: r.reason for r in refused}
    assert list(reasons) == ["HTTPRoute", "ConfigMap", "Nothing"]
    assert "spec.hostnames[0] in body should match" in reasons["HTTPRoute"]
    assert kubernetes.get("HelmRelease", "n", "r")
    assert kubernetes.get("HelmRelease", "default", "r")
    assert kubernetes.get("HTTPRoute", "apps", "r")
    assert kubernetes.get("example.com/v1/storageboxes", "", "b")
    assert kubernetes.load_objects([route]) == []


def test_a_user_s_repository_loads_whole(kubernetes: Kubernetes, user_repository: Path) -> None:
    """Every object of a real GitOps repository is taken in, kinds that only it knows included."""
    texts = [path.read_text() for path in sorted(user_repository.rglob("*.yaml"))]
    documents = [d for text in texts for d in yaml.load_all(text, yaml.CSafeLoader)]
    objects = [d for d in documents if isinstance(d, dict) and "metadata" in d]

    assert len(objects) > 80
    assert kubernetes.load_objects(objects, "argocd-controller", server_side=True) == []
    for document in objects:
        place = document["metadata"].get("namespace", "")
        live = kubernetes.get(document["kind"], place, document["metadata"]["name"])
        assert list(lost(document, live)) == [], document["metadata"]


def lost(document: Any, live: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which a stored object is not what its manifest says."""
    if isinstance(document, dict) and isinstance(live, dict):
        for name, value in document.items():
            yield from lost(value, live.get(name), f"{path}.{name}")
    elif isinstance(document, list) and isinstance(live, list) and len(document) == len(live):
        for index, (value, known) in enumerate(zip(document, live, strict=True)):
            yield from lost(value, known, f"{path}[{index}]")
    elif document != live:
        yield path


def test_many_objects_load_quickly(kubernetes: Kubernetes) -> None:
    """Loading is linear: the store looks at each object a bounded number of times."""
    routes = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": f"r{number}", "namespace": "apps"},
            "spec": {"hostnames": [f"r{number}.example.com"]},
        }
        for number in range(500)
    ]
    assert kubernetes.load_objects(routes, "argocd-controller", server_side=True) == []

    assert len(kubernetes.list("HTTPRoute", "apps")) == 500


@pytest.mark.parametrize(
    "kind", ["Gateway", "gateway.networking.k8s.io/v1/gateways", ("", "v1", "services")]
)
def test_kinds_are_told_in_several_ways(kubernetes: Kubernetes, kind: Any) -> None:
    """By kind, by resource, or as a tuple; an unknown one is an error."""
    assert kubernetes.get(kind, "default", "nothing") is None
    with pytest.raises(LookupError):
        kubernetes.list("Nonsense")


def test_subscribers_hear_writes_in_order_though_they_write(kubernetes: Kubernetes) -> None:
    """A controller that writes while it hears does not turn the order round for others."""
    heard: list[str] = []

    def react(kind: str, thing: dict[str, Any]) -> None:
        if kind == "ADDED" and thing["kind"] == "ConfigMap":
            kubernetes.patch("ConfigMap", "default", "c", {"data": {"b": "2"}}, "reactor")

    kubernetes.subscribe(react)
    kubernetes.subscribe(lambda kind, thing: heard.append(f"{kind} {sorted(thing['data'])}"))
    kubernetes.apply({**CONFIG_MAP, "metadata": {"name": "c", "namespace": "default"}}, "tests")

    assert heard == ["ADDED ['a']", "MODIFIED ['a', 'b']"]
