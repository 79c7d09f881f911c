"""A resolver's ConfigMap, and who else writes: read, applied one key at a time, suspended."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.cluster import Refused, Unreachable
from tailkeeper.coexistence.managers import owners
from tailkeeper.resolver.workloads import restarted
from tailkeeper.resolver.writers import WORKLOADS, config_map_writers


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.adapters.cluster import Cluster
    from tailkeeper.config import ResolverConfig


LOOKED_THROUGH = {
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
}
RESTARTED_AT, RESTARTED_FOR = "kubectl.kubernetes.io/restartedAt", "tailkeeper/restarted-for"


def config_map_path(resolver: ResolverConfig) -> str:
    """Return the path of the ConfigMap that we write a key of."""
    return f"/api/v1/namespaces/{resolver.namespace}/configmaps/{resolver.config_map}"


def cron_jobs_path(namespace: str, name: str = "") -> str:
    """Return the path of a namespace's CronJobs, or of one."""
    return f"/apis/batch/v1/namespaces/{namespace}/cronjobs" + (f"/{name}" if name else "")


def observe(resolver: ResolverConfig, cluster: Cluster) -> dict[str, Any]:
    """Return {text, version, owners, writers, readers, unseen, why}; `text` is None for nothing.

    `owners` are who else owns our key, as {manager, operation, time}; `writers` the workloads that
    write the ConfigMap, as {kind, namespace, name, suspended}; `readers` those that mount it, as
    {kind, name, restarted_for}; `unseen` says what we may not look through for them; `why` says
    what could not be read, else "".
    """
    unseen: dict[str, str] = {}
    try:
        document = cluster.get(config_map_path(resolver))
        objects = {kind: _objects(kind, resolver, cluster, unseen) for kind in LOOKED_THROUGH}
    except (Refused, Unreachable) as error:
        return nothing(str(error))
    data, metadata = ((document or {}).get(part) or {} for part in ("data", "metadata"))
    return {
        "text": data.get(resolver.key),
        "version": metadata.get("resourceVersion", ""),
        "owners": owners(metadata.get("managedFields") or [], resolver.key),
        "writers": [
            {"kind": w.kind, "namespace": w.namespace, "name": w.name, "suspended": not w.at_work}
            for w in config_map_writers(objects, resolver.namespace, resolver.config_map)
        ],
        "readers": list(_readers(resolver, objects)),
        "unseen": unseen,
        "why": "",
    }


def nothing(why: str) -> dict[str, Any]:
    """Return the observation of a resolver that could not be read."""
    lists: dict[str, Any] = {part: [] for part in ("owners", "writers", "readers")}
    return {"text": None, "version": "", **lists, "unseen": {}, "why": why}


def _objects(
    kind: str, resolver: ResolverConfig, cluster: Cluster, unseen: dict[str, str]
) -> list[dict[str, Any]]:
    """Return a kind's objects everywhere, or where that is refused, in the resolver's namespace.

    What is refused there too goes into `unseen`, but for CronJobs: they must be seen.
    """
    group, plural = LOOKED_THROUGH[kind]
    home = f"{group}/namespaces/{resolver.namespace}/{plural}"
    if kind in WORKLOADS:
        with suppress(Refused):
            return cluster.list(f"{group}/{plural}")
    try:
        return cluster.list(home)
    except Refused as error:
        if kind == "CronJob":
            raise
        unseen[kind] = str(error)
        return []


def _readers(
    resolver: ResolverConfig, objects: Mapping[str, list[dict[str, Any]]]
) -> Iterator[dict[str, str]]:
    """Yield the Deployments and StatefulSets whose Pods mount the ConfigMap."""
    for kind in ("Deployment", "StatefulSet"):
        for workload in objects[kind]:
            pod = workload["spec"]["template"].get("spec") or {}
            mounted = {(v.get("configMap") or {}).get("name") for v in pod.get("volumes") or ()}
            metadata = workload["metadata"]
            here = metadata.get("namespace") == resolver.namespace
            if here and resolver.config_map in mounted:
                annotations = (workload["spec"]["template"].get("metadata") or {}).get(
                    "annotations"
                )
                mark = (annotations or {}).get(RESTARTED_FOR, "")
                yield {"kind": kind, "name": metadata["name"], "restarted_for": mark}


def write(
    cluster: Cluster, resolver: ResolverConfig, text: str | None, version: str, *, force: bool
) -> str:
    """Apply our one key, compare-and-set on `version` ("" creates); return the new version.

    Without a text the key goes, since nobody applies it any more.
    """
    metadata = {"name": resolver.config_map, "namespace": resolver.namespace}
    if version:
        metadata["resourceVersion"] = version
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {} if text is None else {resolver.key: text},
    }
    answer = cluster.apply(config_map_path(resolver), document, force=force)
    return str(answer["metadata"]["resourceVersion"])


def suspend(cluster: Cluster, namespace: str, name: str, value: Mapping[str, Any]) -> None:
    """Set a CronJob's `suspend` as our own field."""
    document = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"suspend": value["suspend"]},
    }
    cluster.apply(cron_jobs_path(namespace, name), document, force=True)


def restart(cluster: Cluster, namespace: str, key: str, value: Mapping[str, Any]) -> None:
    """Let a workload's Pods be made anew, as `kubectl rollout restart` does, and note for what."""
    kind, name = restarted(key) or ("", "")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    annotations = {RESTARTED_AT: now, RESTARTED_FOR: value["restarted_for"]}
    group, plural = LOOKED_THROUGH[kind]
    document = {
        "apiVersion": group.removeprefix("/apis/"),
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    }
    cluster.apply(f"{group}/namespaces/{namespace}/{plural}/{name}", document, force=True)


def deployments_path(namespace: str, name: str) -> str:
    """Return the path of a Deployment."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


def replicas(cluster: Cluster, namespace: str, name: str) -> dict[str, int] | None:
    """Return {replicas} of a Deployment as it stands, None where there is none."""
    found = cluster.get(deployments_path(namespace, name))
    return {"replicas": found["spec"].get("replicas", 1)} if found else None


def scale(cluster: Cluster, namespace: str, name: str, value: Mapping[str, Any]) -> None:
    """Set a Deployment's replicas as our own field."""
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": value["replicas"]},
    }
    cluster.apply(deployments_path(namespace, name), document, force=True)
