"""What `kubectl rollout status` and `kubectl get pods` are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.conditions import condition, merged


if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.cluster.api import Object
    from sandbox.cluster.gateway_reading import Name
    from sandbox.cluster.resolver import Resolver
    from sandbox.cluster.resolver_pod import ResolverPod

RUN_BY = "sandbox.tailkeeper/run-by"  # the Deployment, as an owner reference would say


def rollout_status(deployment: Object, resolver: Resolver | None, now: float) -> dict[str, Any]:
    """Return a Deployment's status; without real Pods behind it, all is well."""
    wanted = deployment["spec"].get("replicas", 1)
    pods = resolver.pods if resolver else []
    surplus = max(len(pods) - 1, 0)
    ready = not resolver or any(pod.ready.is_set() for pod in pods)
    available = wanted if ready else 0
    old = (deployment.get("status") or {}).get("conditions")
    conditions = [
        condition(
            "Available",
            true=available >= wanted,
            reason="MinimumReplicasAvailable"
            if available >= wanted
            else "MinimumReplicasUnavailable",
            message="Deployment has minimum availability."
            if available >= wanted
            else "Deployment does not have minimum availability.",
        ),
        condition(
            "Progressing",
            true=True,
            reason="ReplicaSetUpdated" if surplus else "NewReplicaSetAvailable",
            message="ReplicaSet is progressing."
            if surplus
            else "ReplicaSet has successfully progressed.",
        ),
    ]
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": wanted + surplus,
        "updatedReplicas": surplus or wanted,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": wanted + surplus - available,
        "conditions": merged(old, conditions, now),
    }


def pod_object(name: Name, pod: ResolverPod) -> tuple[Object, dict[str, Any]]:
    """Return a Pod of the Deployment of that name as an object, and its status."""
    labels = {**(pod.template["metadata"].get("labels") or {}), RUN_BY: name[1]}
    thing = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": name[0], "labels": labels},
        "spec": pod.template["spec"],
    }
    state = {"running": {}} if pod.state == "Running" else {"waiting": {"reason": pod.state}}
    begun = pod.state == "Running" or pod.restarts > 0
    status = pod_status(
        pod.template["spec"], ready=pod.ready.is_set(), state=state, restarts=pod.restarts
    )
    return thing, status | {"phase": "Running" if begun else "Pending"}


def pod_status(
    spec: Mapping[str, Any], *, ready: bool, state: Mapping[str, Any], restarts: int = 0
) -> dict[str, Any]:
    """Return the status of a Pod whose containers share one fate."""
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": ready,
                "restartCount": restarts,
                "state": state,
            }
            for container in spec["containers"]
        ],
    }
