"""Observe Cluster: each configured cluster once, complete or with a reason for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import observe_cluster
from sandbox.faults import Fault
from tailkeeper.adapters.lease import LeaseLost
from tests.support.handlers import kubeconfig, set_secret


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside


def observe(aws: Stack, outside: Outside) -> list[dict[str, Any]]:
    """Run the state; return what it says of the clusters."""
    seen: list[dict[str, Any]] = aws.artifacts.unpack(
        observe_cluster.handler(outside.event(), None)
    )
    return seen


def test_a_cluster_is_read_whole(aws: Stack, outside: Outside) -> None:
    """One list for each kind that is installed; what is there is in it."""
    (seen,) = observe(aws, outside)

    assert (seen["cluster"], seen["complete"], seen["partial"]) == ("homelab", True, {})
    assert "dns" in {n["metadata"]["name"] for n in seen["objects"]["Namespace"]}
    asked = {r["path"].rpartition("/")[2] for r in outside.kubernetes.requests}
    assert len(asked) == len(seen["objects"])


def test_a_large_observation_leaves_a_pointer(aws: Stack, outside: Outside) -> None:
    """Ten thousand routes do not fit into a state."""
    outside.kubernetes.load_objects(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{i}"}} for i in range(300)
    )

    packed = observe_cluster.handler(outside.event(), None)

    assert packed.keys() == {"artifact"}
    (seen,) = aws.artifacts.unpack(packed)
    assert len(seen["objects"]["Namespace"]) > 300


def test_a_cluster_that_cannot_be_read_leaves_the_others(aws: Stack, outside: Outside) -> None:
    """F41: no kubeconfig, a dead one, and one that answers."""
    dead = kubeconfig(outside.kubernetes)
    dead["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:9"
    living = kubeconfig(outside.kubernetes)
    outside.config["clusters"] += [{"name": "dead"}, {"name": "unknown"}]
    set_secret("KUBECONFIG_SECRET", {"homelab": living, "dead": dead})

    seen = {cluster["cluster"]: cluster for cluster in observe(aws, outside)}

    assert seen["homelab"]["complete"]
    assert "the API server" in seen["dead"]["partial"]["HTTPRoute"]
    assert "no cluster unknown" in seen["unknown"]["partial"]["HTTPRoute"]
    kinds = seen["homelab"]["objects"].keys()
    assert seen["dead"]["partial"].keys() == seen["unknown"]["partial"].keys() == kinds


@pytest.mark.parametrize("kubeconfig", ["token: [do-not-tell", "", {}, {"users": 5}, [], "text"])
def test_what_is_no_kubeconfig_is_said_and_not_quoted(
    aws: Stack, outside: Outside, kubeconfig: Any
) -> None:
    """There are tokens in it, and the reason goes into the journal."""
    set_secret("KUBECONFIG_SECRET", {"homelab": kubeconfig})

    (seen,) = observe(aws, outside)

    assert "the kubeconfig cannot be used" in seen["partial"]["Gateway"]
    assert "do-not-tell" not in str(seen)


def test_a_kind_that_times_out_is_partial(aws: Stack, outside: Outside) -> None:
    """F02: the answer is never an exception, nor a shorter list."""
    outside.kubernetes.faults.append(Fault(path="*/httproutes", status=504, body={}, times=3))

    (seen,) = observe(aws, outside)

    assert seen["partial"].keys() == {"HTTPRoute"}
    assert "504" in seen["partial"]["HTTPRoute"]


def test_a_run_that_lost_the_lease_reads_nothing(aws: Stack, outside: Outside) -> None:
    """The successor reads for itself."""
    aws.table.update("lease", "stack", "SET fence = :next", next=2)

    with pytest.raises(LeaseLost):
        observe_cluster.handler(outside.event(), None)

    assert outside.kubernetes.requests == []
