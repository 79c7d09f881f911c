"""The Kubernetes adapter against the API server stand-in, over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import Fault
from sandbox.kubernetes.server import Kubernetes
from sandbox.threads import running
from tailkeeper.adapters import objects, resolvers
from tailkeeper.adapters.cluster import MANAGER, Cluster, Conflict, Refused, Unreachable
from tailkeeper.config import ResolverConfig


if TYPE_CHECKING:
    from collections.abc import Iterator

RESOLVER = ResolverConfig("dns", "hosts", "tailkeeper-hosts", "dns", ("example.com",))
PATH = resolvers.config_map_path(RESOLVER)


def config_map(**data: str) -> dict[str, Any]:
    """Return a ConfigMap that git put there."""
    metadata = {"name": "tailkeeper-hosts", "namespace": "dns"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def cron_job(name: str, command: str, *, suspend: bool = False) -> dict[str, Any]:
    """Return a CronJob that runs a command."""
    container = {"name": "c", "image": "alpine", "command": ["/bin/sh", "-c", command]}
    pod = {"spec": {"containers": [container], "restartPolicy": "OnFailure"}}
    spec = {
        "schedule": "*/10 * * * *",
        "suspend": suspend,
        "jobTemplate": {"spec": {"template": pod}},
    }
    metadata = {"name": name, "namespace": "dns"}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


@pytest.fixture
def server() -> Iterator[Kubernetes]:
    """Run an empty cluster with the resolver's namespace."""
    stand_in = Kubernetes()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dns"}}
    stand_in.load_objects([namespace])
    with running(stand_in):
        yield stand_in


@pytest.fixture
def cluster(server: Kubernetes) -> Cluster:
    """Return the adapter, connected as the administrator."""
    return connected(server, server.admin_token)


def connected(server: Kubernetes, token: str) -> Cluster:
    """Return the adapter with a token."""
    return Cluster.connect(kubeconfig_of(server.base_url, token))


def kubeconfig_of(url: str, token: str) -> dict[str, Any]:
    """Return a kubeconfig for a server and a token."""
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }


def test_lists_are_followed_to_the_end(server: Kubernetes, cluster: Cluster) -> None:
    """1,200 objects come in three pages of at most 500, and none is missing."""
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{i}"}}
        for i in range(1200)
    ]
    server.load_objects(spaces)
    server.requests.clear()

    found = {item["metadata"]["name"] for item in cluster.list("/api/v1/namespaces")}

    assert {f"n{i}" for i in range(1200)} <= found
    assert len(server.requests) == 3


def test_half_a_list_is_no_list(server: Kubernetes, cluster: Cluster) -> None:
    """A page that fails for good fails the whole read."""
    server.load_objects(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{i}"}} for i in range(600)
    )
    cluster.list("/api/v1/namespaces", limit="600")
    server.faults.append(Fault(path="/api/v1/namespaces", status=503, times=9))

    with pytest.raises(Unreachable, match="503"):
        cluster.list("/api/v1/namespaces")


def test_a_list_that_has_expired_is_begun_anew_once(server: Kubernetes, cluster: Cluster) -> None:
    """A server forgets where a long list was; one that always does is not asked for ever."""
    server.faults.append(Fault(path="/api/v1/namespaces", status=410, times=1))
    assert cluster.list("/api/v1/namespaces")

    server.faults.append(Fault(path="/api/v1/namespaces", status=410, times=9))
    with pytest.raises(Refused, match="410"):
        cluster.list("/api/v1/namespaces")


def test_a_connection_that_fails_says_why(server: Kubernetes) -> None:
    """A certificate that is not trusted, or none at all, is not `answered 0`."""
    plain = kubeconfig_of(server.base_url.replace("http:", "https:"), "token")

    with pytest.raises(Unreachable, match="SSL"):
        Cluster.connect(plain).list("/api/v1/namespaces")


def test_one_key_is_ours_and_the_others_stay_gits(server: Kubernetes, cluster: Cluster) -> None:
    """Our write touches one key, under our own manager, and repeats without a change."""
    server.apply(config_map(Corefile="from git"), manager="argocd")
    version = resolvers.observe(RESOLVER, cluster)["version"]

    written = resolvers.write(cluster, RESOLVER, "100.64.0.1 a\n", version, force=False)
    again = resolvers.write(cluster, RESOLVER, "100.64.0.1 a\n", written, force=False)

    live = cluster.get(PATH)
    assert live
    assert live["data"] == {"Corefile": "from git", "hosts": "100.64.0.1 a\n"}
    managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
    assert managers == {"argocd", MANAGER}
    assert again == written


def test_a_write_is_compare_and_set(server: Kubernetes, cluster: Cluster) -> None:
    """A document that changed since it was read is not overwritten."""
    server.apply(config_map(Corefile="one"), manager="argocd")
    version = resolvers.observe(RESOLVER, cluster)["version"]
    server.apply(config_map(Corefile="two"), manager="argocd")

    with pytest.raises(Conflict):
        resolvers.write(cluster, RESOLVER, "text", version, force=False)


def test_a_field_of_another_manager_needs_force(server: Kubernetes, cluster: Cluster) -> None:
    """Taking over is explicit."""
    server.apply(config_map(hosts="theirs"), manager="argocd")
    version = resolvers.observe(RESOLVER, cluster)["version"]

    with pytest.raises(Conflict, match="argocd"):
        resolvers.write(cluster, RESOLVER, "ours", version, force=False)
    resolvers.write(cluster, RESOLVER, "ours", version, force=True)

    assert resolvers.observe(RESOLVER, cluster)["text"] == "ours"


def test_a_missing_document_is_created(cluster: Cluster) -> None:
    """Mode hosts begins with no ConfigMap at all."""
    assert resolvers.observe(RESOLVER, cluster)["text"] is None

    resolvers.write(cluster, RESOLVER, "100.64.0.1 a\n", "", force=False)

    assert resolvers.observe(RESOLVER, cluster)["text"] == "100.64.0.1 a\n"


def test_writers_are_found_by_what_they_run_and_suspended(
    server: Kubernetes, cluster: Cluster
) -> None:
    """A CronJob that names the ConfigMap is a writer; another is not."""
    server.load_objects(
        [
            cron_job("updater", "kubectl -n dns apply configmap tailkeeper-hosts"),
            cron_job("backup", "kubectl get configmap other"),
        ]
    )

    resolvers.suspend(cluster, "dns", "updater", {"suspend": True})

    writers = resolvers.observe(RESOLVER, cluster)["writers"]
    place = {"kind": "CronJob", "namespace": "dns", "name": "updater"}
    assert writers == [{**place, "suspended": True}]


def test_what_may_not_be_read_makes_the_kind_partial(server: Kubernetes) -> None:
    """403 on everything: no object, and a reason for each kind."""
    observed = objects.observe("homelab", connected(server, "nobody"))

    assert not observed["complete"]
    assert set(observed["partial"]) == set(objects.KINDS)
    assert "401" in observed["partial"]["Gateway"]


def test_a_resolver_that_may_not_be_read_says_why(server: Kubernetes) -> None:
    """The document is unknown, which is not the same as absent."""
    observed = resolvers.observe(RESOLVER, connected(server, "nobody"))

    assert observed["why"]
    with pytest.raises(Refused):
        connected(server, "nobody").get(PATH)
