"""Observe Resolver: the document as it stands, its version, and who else writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import observe_resolver
from sandbox.faults import Fault
from tailkeeper.adapters.lease import LeaseLost
from tests.support.handlers import set_secret


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

PLACE = "homelab/dns/tailkeeper-hosts"


def observe(aws: Stack, outside: Outside) -> dict[str, Any]:
    """Run the state; return what it says of each resolver."""
    seen: dict[str, Any] = aws.artifacts.unpack(observe_resolver.handler(outside.event(), None))
    return seen


def config_map(text: str) -> dict[str, Any]:
    """Return the resolver's ConfigMap, with a key that is not ours beside it."""
    metadata = {"name": "tailkeeper-hosts", "namespace": "dns"}
    data = {"hosts": text, "Corefile": "git's own"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def cron_job(name: str, command: str, *, suspend: bool = False) -> dict[str, Any]:
    """Return a CronJob that runs a command."""
    container = {"name": "c", "image": "alpine", "command": ["sh", "-c", command]}
    pod = {"spec": {"containers": [container], "restartPolicy": "OnFailure"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": "dns"},
        "spec": {
            "schedule": "*/10 * * * *",
            "suspend": suspend,
            "jobTemplate": {"spec": {"template": pod}},
        },
    }


def test_no_document_yet_is_none_and_no_failure(aws: Stack, outside: Outside) -> None:
    """Mode hosts begins with nothing."""
    lists: dict[str, Any] = {"owners": [], "writers": [], "readers": []}
    nothing = {"text": None, "version": "", **lists, "unseen": {}, "why": ""}
    assert observe(aws, outside) == {PLACE: nothing}


def test_our_key_is_read_with_its_version_and_its_writers(aws: Stack, outside: Outside) -> None:
    """The version is what the write compares; a writer counts whether it is suspended or not."""
    apply = "kubectl apply configmap tailkeeper-hosts"
    outside.kubernetes.load_objects(
        [
            config_map("100.64.0.1 a.example.com\n"),
            cron_job("updater", apply, suspend=False),
            cron_job("asleep", apply, suspend=True),
            cron_job("backup", "restic backup", suspend=False),
        ]
    )

    seen = observe(aws, outside)[PLACE]

    assert seen["text"] == "100.64.0.1 a.example.com\n"
    assert seen["version"].isdigit()
    assert sorted(seen["writers"], key=lambda writer: str(writer["name"])) == [
        {"kind": "CronJob", "namespace": "dns", "name": "asleep", "suspended": True},
        {"kind": "CronJob", "namespace": "dns", "name": "updater", "suspended": False},
    ]


def test_writers_are_looked_for_in_every_namespace(aws: Stack, outside: Outside) -> None:
    """By a Role made for this ConfigMap, or by commands that name it and its namespace."""
    elsewhere = cron_job("far", "kubectl -n dns patch cm tailkeeper-hosts", suspend=False)
    elsewhere["metadata"]["namespace"] = "ops"
    other = cron_job("own", "kubectl patch cm tailkeeper-hosts", suspend=False)
    other["metadata"]["namespace"] = "ops"
    outside.kubernetes.load_objects([config_map(""), elsewhere, other])

    (writer,) = observe(aws, outside)[PLACE]["writers"]

    assert (writer["namespace"], writer["name"]) == ("ops", "far")


@pytest.mark.parametrize("path", ["/apis/batch/v1/cronjobs", "*/statefulsets", "*/roles"])
def test_what_we_may_not_look_through_is_said(aws: Stack, outside: Outside, path: str) -> None:
    """CronJobs are then looked for in the resolver's namespace alone; the document is known."""
    outside.kubernetes.load_objects([config_map("x"), cron_job("own", "cm tailkeeper-hosts")])
    outside.kubernetes.faults.append(Fault(path=path, status=403, body={}, times=9))

    seen = observe(aws, outside)[PLACE]

    assert (seen["text"], seen["why"], len(seen["writers"])) == ("x", "", 1)
    assert list(seen["unseen"]) == {"*/statefulsets": ["StatefulSet"], "*/roles": ["Role"]}.get(
        path, []
    )


def test_who_mounts_the_config_map_is_seen(aws: Stack, outside: Outside) -> None:
    """With the document for which it was restarted last."""
    pod = {
        "metadata": {"labels": {"a": "b"}, "annotations": {"tailkeeper/restarted-for": "mark"}},
        "spec": {
            "containers": [{"name": "coredns", "image": "coredns"}],
            "volumes": [{"name": "c", "configMap": {"name": "tailkeeper-hosts"}}],
        },
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pod}
    metadata = {"name": "coredns", "namespace": "dns"}
    outside.kubernetes.load_objects(
        [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}]
    )

    assert observe(aws, outside)[PLACE]["readers"] == [
        {"kind": "Deployment", "name": "coredns", "restarted_for": "mark"}
    ]


@pytest.mark.parametrize("path", ["*/configmaps/*", "*/cronjobs"])
@pytest.mark.parametrize("status", [403, 500])
def test_what_could_not_be_read_is_unknown_not_absent(
    aws: Stack, outside: Outside, path: str, status: int
) -> None:
    """Without knowing the writers, the document is not known either: somebody may be at work."""
    outside.kubernetes.load_objects([config_map("")])
    outside.kubernetes.faults.append(Fault(path=path, status=status, body={}, times=3))

    seen = observe(aws, outside)[PLACE]

    assert str(status) in seen["why"]
    assert (seen["text"], seen["version"], seen["writers"]) == (None, "", [])


@pytest.mark.parametrize(
    ("secret", "why"), [({}, "no cluster homelab"), ({"homelab": "text"}, "cannot be used")]
)
def test_a_cluster_without_a_kubeconfig_says_so(
    aws: Stack, outside: Outside, secret: dict[str, str], why: str
) -> None:
    """Of each of its resolvers."""
    set_secret("KUBECONFIG_SECRET", secret)

    assert why in observe(aws, outside)[PLACE]["why"]


def test_a_run_that_lost_the_lease_reads_nothing(aws: Stack, outside: Outside) -> None:
    """The successor reads for itself."""
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        observe_resolver.handler(outside.event(), None)

    assert outside.kubernetes.requests == []
