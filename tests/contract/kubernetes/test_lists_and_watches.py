"""Lists, pages, selectors and watches, as they are on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.contract.kubernetes.conftest import Rig

CORE = "/api/v1/namespaces"


def config_map(name: str, **labels: str) -> dict[str, Any]:
    """Return a ConfigMap with these labels."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}


@pytest.fixture
def http(rig: Rig) -> httpx.Client:
    """Speak as the cluster's admin."""
    return rig.http()


def fill(http: httpx.Client, lab: str, count: int) -> str:
    """Create ConfigMaps c0, c1, … labelled by parity; return the collection's path."""
    path = f"{CORE}/{lab}/configmaps"
    for number in range(count):
        labels = {"parity": "odd" if number % 2 else "even", **({"zero": ""} if not number else {})}
        assert http.post(path, json=config_map(f"c{number}", **labels)).status_code == 201
    return path


def names(http: httpx.Client, path: str, **query: str) -> list[str]:
    """Return the names on one page."""
    return [item["metadata"]["name"] for item in http.get(path, params=query).json()["items"]]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("parity=odd", ["c1", "c3"]),
        ("parity==even,zero", ["c0"]),
        ("parity!=odd", ["c0", "c2"]),
        ("parity in (odd,even),!zero", ["c1", "c2", "c3"]),
        ("parity notin (odd)", ["c0", "c2"]),
        ("nothing", []),
    ],
)
def test_label_selectors(http: httpx.Client, lab: str, selector: str, wanted: list[str]) -> None:
    """Equality, sets and existence, alone and joined."""
    path = fill(http, lab, 4)

    assert names(http, path, labelSelector=selector) == wanted


def test_field_selectors(http: httpx.Client, lab: str) -> None:
    """Names can be selected by; a field that cannot is a 400."""
    path = fill(http, lab, 3)

    assert names(http, path, fieldSelector="metadata.name=c1") == ["c1"]
    assert names(http, path, fieldSelector=f"metadata.namespace={lab},metadata.name!=c1") == [
        "c0",
        "c2",
    ]
    answer = http.get(path, params={"fieldSelector": "data.x=1"})
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "field label not supported: data.x",
    )


def test_pages_are_of_one_moment(http: httpx.Client, lab: str) -> None:
    """What is written between two pages changes neither; a new list sees it."""
    path = fill(http, lab, 5)
    first = http.get(path, params={"limit": "2"}).json()
    assert first["metadata"]["remainingItemCount"] == 3
    http.delete(f"{path}/c3")
    http.delete(f"{path}/c0")
    http.post(path, json=config_map("c2b"))
    http.patch(
        f"{path}/c4",
        json={"data": {"new": "1"}},
        headers={"Content-Type": "application/merge-patch+json"},
    )

    token = first["metadata"]["continue"]
    second = http.get(path, params={"limit": "2", "continue": token}).json()
    last = http.get(path, params={"continue": second["metadata"]["continue"]}).json()
    pages = [first, second, last]
    assert [[i["metadata"]["name"] for i in page["items"]] for page in pages] == [
        ["c0", "c1"],
        ["c2", "c3"],
        ["c4"],
    ]
    assert "data" not in last["items"][0]
    assert {page["metadata"]["resourceVersion"] for page in pages} == {
        first["metadata"]["resourceVersion"]
    }
    assert "continue" not in last["metadata"]
    assert names(http, path) == ["c1", "c2", "c2b", "c4"]


def test_a_token_that_history_forgot_is_gone(rig: Rig, http: httpx.Client, lab: str) -> None:
    """A 410 tells the client to list again."""
    path = fill(http, lab, 3)
    token = http.get(path, params={"limit": "1"}).json()["metadata"]["continue"]
    store = rig.kubernetes.cluster.store
    forgotten, store._forgotten = store._forgotten, store.revision + 1
    answer = http.get(path, params={"limit": "1", "continue": token})
    store._forgotten = forgotten

    assert (answer.status_code, answer.json()["reason"]) == (410, "Expired")
    nonsense = http.get(path, params={"continue": "x"})
    assert (nonsense.status_code, nonsense.json()["reason"]) == (400, "BadRequest")


def test_lists_say_their_kind_and_version(http: httpx.Client, lab: str) -> None:
    """A list has the kind its clients decode; an empty one has no items, not none."""
    answer = http.get(f"/apis/gateway.networking.k8s.io/v1beta1/namespaces/{lab}/gateways").json()

    assert (answer["kind"], answer["apiVersion"], answer["items"]) == (
        "GatewayList",
        "gateway.networking.k8s.io/v1beta1",
        [],
    )


def test_an_object_is_served_in_the_version_asked_for(http: httpx.Client, lab: str) -> None:
    """A Gateway written as v1 reads as v1beta1; both see one resourceVersion."""
    listener = {"name": "https", "port": 443, "protocol": "HTTPS"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gw"},
        "spec": {"gatewayClassName": "x", "listeners": [listener]},
    }
    base = "/apis/gateway.networking.k8s.io/{}/namespaces/" + lab + "/gateways"
    written = http.post(base.format("v1"), json=gateway).json()
    read = http.get(base.format("v1beta1") + "/gw").json()

    assert read == {**written, "apiVersion": "gateway.networking.k8s.io/v1beta1"}


def test_tables_carry_what_was_asked_for(http: httpx.Client, lab: str) -> None:
    """Rows hold metadata by default, the object or nothing when asked."""
    path = fill(http, lab, 1)
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    table = http.get(path, headers=accept).json()

    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["c0", 0]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    kinds = {
        include: http.get(path, headers=accept, params={"includeObject": include}).json()["rows"][
            0
        ]["object"]
        for include in ("Object", "None")
    }
    assert (kinds["Object"]["kind"], kinds["None"]) == ("ConfigMap", None)


def test_what_cannot_be_answered_in_the_wanted_form_is_406(http: httpx.Client, lab: str) -> None:
    """Protobuf alone is not acceptable."""
    headers = {"Accept": "application/vnd.kubernetes.protobuf"}

    assert http.get(f"{CORE}/{lab}/configmaps", headers=headers).status_code == 406


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/api/v1/configmaps", 405),
        ("DELETE", "/api/v1/configmaps", 405),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("GET", "/api/v1/namespaces/default/nonsense", 404),
        ("GET", "/apis/nonsense.io/v1/things", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/x/scale", 404),
        ("PUT", "/api/v1/namespaces/default/configmaps", 405),
        ("OPTIONS", "/api/v1/namespaces/default/configmaps", 405),
        ("GET", "/nothing", 404),
        ("GET", "/", 200),
        ("GET", "/readyz", 200),
        ("GET", "/apis/gateway.networking.k8s.io", 200),
        ("GET", "/apis/gateway.networking.k8s.io/v1", 200),
    ],
)
def test_urls_that_are_none(http: httpx.Client, method: str, path: str, code: int) -> None:
    """A namespaced kind is written in a namespace; what is not served is not found."""
    assert http.request(method, path).status_code == code


def test_a_collection_is_deleted_by_selector(http: httpx.Client, lab: str) -> None:
    """Only what is selected goes; the answer lists it."""
    path = fill(http, lab, 4)
    gone = http.delete(path, params={"labelSelector": "parity=odd"}).json()

    assert [item["metadata"]["name"] for item in gone["items"]] == ["c1", "c3"]
    assert names(http, path) == ["c0", "c2"]


def follow(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (type, object) of each event of an open watch."""
    for line in response.iter_lines():
        event = json.loads(line)
        yield event["type"], event["object"]


def test_a_watch_tells_every_write_after_a_version(http: httpx.Client, lab: str) -> None:
    """Nothing is lost between the list and the watch, and nothing is told twice."""
    path = fill(http, lab, 2)
    start = http.get(path).json()["metadata"]["resourceVersion"]
    http.delete(f"{path}/c0")
    query = {"watch": "true", "resourceVersion": start}
    with http.stream("GET", path, params=query) as response:
        events = follow(response)
        first = next(events)
        http.post(path, json=config_map("new"))
        second = next(events)

    assert (first[0], first[1]["metadata"]["name"]) == ("DELETED", "c0")
    assert (second[0], second[1]["metadata"]["name"]) == ("ADDED", "new")
    assert int(second[1]["metadata"]["resourceVersion"]) > int(start)


def test_a_selecting_watch_tells_who_enters_and_leaves(http: httpx.Client, lab: str) -> None:
    """An object that stops matching is deleted for this watch; one that starts is added."""
    path = fill(http, lab, 2)
    start = http.get(path).json()["metadata"]["resourceVersion"]
    patch = {"Content-Type": "application/merge-patch+json"}
    for name, parity in (("c0", "odd"), ("c0", "odder"), ("c1", "even"), ("c1", "none")):
        body = {"metadata": {"labels": {"parity": parity}}}
        http.patch(f"{path}/{name}", json=body, headers=patch)
    query = {
        "watch": "1",
        "resourceVersion": start,
        "labelSelector": "parity=odd",
        "timeoutSeconds": "0",
    }
    with http.stream("GET", path, params={**query, "timeoutSeconds": "1"}) as response:
        events = follow(response)
        seen = [next(events) for _ in range(3)]

    told = [(kind, document["metadata"]["name"]) for kind, document in seen]
    assert told == [("ADDED", "c0"), ("DELETED", "c0"), ("DELETED", "c1")]


def test_initial_events_end_with_a_bookmark(http: httpx.Client, lab: str) -> None:
    """A streaming list gives what is there, then says that it was all."""
    path = fill(http, lab, 2)
    query = {
        "watch": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    with http.stream("GET", path, params=query) as response:
        events = follow(response)
        seen = [next(events) for _ in range(3)]

    assert [kind for kind, _ in seen] == ["ADDED", "ADDED", "BOOKMARK"]
    metadata = seen[2][1]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    refused = http.get(path, params={"watch": "true", "sendInitialEvents": "true"})
    assert refused.status_code == 422


def test_a_watch_from_a_forgotten_version_ends_in_an_error(
    rig: Rig, http: httpx.Client, lab: str
) -> None:
    """The 410 comes inside the stream, as clients expect it."""
    path = fill(http, lab, 1)
    store = rig.kubernetes.cluster.store
    forgotten, store._forgotten = store._forgotten, store.revision + 1
    with http.stream("GET", path, params={"watch": "true", "resourceVersion": "1"}) as response:
        (only,) = follow(response)
    store._forgotten = forgotten

    assert (only[0], only[1]["code"], only[1]["reason"]) == ("ERROR", 410, "Expired")


def test_versions_from_the_future_are_not_served(http: httpx.Client, lab: str) -> None:
    """A list newer than all there is times out, with the reason that clients retry on."""
    path = f"{CORE}/{lab}/configmaps"
    answer = http.get(path, params={"resourceVersion": "999999999"}).json()

    assert (answer["code"], answer["reason"]) == (504, "Timeout")
    assert answer["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
