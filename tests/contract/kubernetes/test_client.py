"""The `kubernetes` Python client, as tailkeeper's adapters use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.kubernetes.conftest import Rig

APPLY = "application/apply-patch+yaml"


@pytest.fixture(scope="module")
def api(rig: Rig) -> Iterator[Any]:
    """Return an API client by kubeconfig, with the CA pinned and a bearer token."""
    configuration = client.Configuration()
    config.load_kube_config(str(rig.kubeconfig()), client_configuration=configuration)
    with client.ApiClient(configuration) as api:
        yield api


def routes(lab: str, count: int) -> list[dict[str, Any]]:
    """Return that many HTTPRoutes, called r0, r1 and so on."""
    return [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": f"r{number}", "namespace": lab},
            "spec": {"hostnames": [f"r{number}.example.com"]},
        }
        for number in range(count)
    ]


def config_map(**data: str) -> dict[str, Any]:
    """Return the ConfigMap `c`."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def test_custom_objects_are_paged_to_the_end(rig: Rig, api: Any, lab: str) -> None:
    """Lists of a custom kind, 25 at a time."""
    rig.kubernetes.load_objects(routes(lab, 60))
    custom = client.CustomObjectsApi(api)
    names, token = [], None
    while token != "":
        page = custom.list_namespaced_custom_object(
            "gateway.networking.k8s.io", "v1", lab, "httproutes", limit=25, _continue=token
        )
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")

    assert len(names) == len(set(names)) == 60


def test_one_key_is_applied_beside_others(api: Any, lab: str) -> None:
    """A typed apply with our manager creates, keeps, conflicts and forces."""
    core = client.CoreV1Api(api)

    def apply(manager: str, body: Any, **more: Any) -> Any:
        return core.patch_namespaced_config_map(
            "c", lab, body, field_manager=manager, _content_type=APPLY, **more
        )

    assert apply("argocd", config_map(Corefile="a")).data == {"Corefile": "a"}
    live = apply("tailkeeper", config_map(hosts="1"))
    assert live.data == {"Corefile": "a", "hosts": "1"}
    with pytest.raises(ApiException) as caught:
        apply("tailkeeper", config_map(hosts="1", Corefile="b"))
    assert caught.value.status == 409
    stale = {**config_map(hosts="2"), "metadata": {"name": "c", "resourceVersion": "1"}}
    with pytest.raises(ApiException) as caught:
        apply("tailkeeper", stale, force=True)
    assert (caught.value.status, "the object has been modified" in caught.value.body) == (409, True)

    fresh = {"name": "c", "resourceVersion": live.metadata.resource_version}
    assert apply("tailkeeper", {**config_map(hosts="2"), "metadata": fresh}).data["hosts"] == "2"
    assert apply("tailkeeper", config_map(Corefile="b"), force=True).data == {"Corefile": "b"}


def test_typed_objects_round_trip(api: Any, lab: str) -> None:
    """What the models read can be sent back; a stale one is a conflict."""
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map(lab, config_map(a="1"))
    first = core.read_namespaced_config_map("c", lab)
    second = core.read_namespaced_config_map("c", lab)
    first.data["a"] = "2"
    core.replace_namespaced_config_map("c", lab, first)

    with pytest.raises(ApiException) as caught:
        core.replace_namespaced_config_map("c", lab, second)
    assert caught.value.status == 409
    assert core.read_namespaced_config_map("c", lab).data == {"a": "2"}


def test_the_dynamic_client_discovers_and_applies(api: Any, lab: str) -> None:
    """Discovery by kind, selectors, server-side apply."""
    found = dynamic.DynamicClient(api).resources.get(
        api_version="gateway.networking.k8s.io/v1", kind="HTTPRoute"
    )
    (route,) = routes(lab, 1)
    route["metadata"]["labels"] = {"app": "x"}
    found.server_side_apply(body=route, namespace=lab, field_manager="tailkeeper")

    listed = found.get(namespace=lab, label_selector="app=x")
    assert [item.metadata.name for item in listed.items] == ["r0"]


def test_a_watch_streams(api: Any, lab: str) -> None:
    """The client's watch sees what is there and what comes."""
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map(lab, config_map(a="1"))
    stream = watch.Watch().stream(core.list_namespaced_config_map, lab, timeout_seconds=10)
    first = next(stream)
    core.patch_namespaced_config_map("c", lab, {"data": {"b": "2"}})
    events = [first, next(stream)]

    assert [(e["type"], sorted(e["object"].data)) for e in events] == [
        ("ADDED", ["a"]),
        ("MODIFIED", ["a", "b"]),
    ]


def test_another_authority_s_server_is_not_trusted(rig: Rig) -> None:
    """The kubeconfig's CA is what is trusted, nothing else."""
    configuration = client.Configuration(host=rig.kubernetes.base_url)
    configuration.retries = False
    with client.ApiClient(configuration) as api, pytest.raises(Exception, match="CERTIFICATE"):
        client.VersionApi(api).get_code()
