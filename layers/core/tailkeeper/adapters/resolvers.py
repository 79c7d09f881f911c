"""A resolver's ConfigMap, and who else writes: read, applied one key at a time, suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.adapters.cluster import Refused, Unreachable
from tailkeeper.managers import owners
from tailkeeper.writers import commands_name


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.adapters.cluster import Cluster
    from tailkeeper.config import ResolverConfig


def config_map_path(resolver: ResolverConfig) -> str:
    """Return the path of the ConfigMap that we write a key of."""
    return f"/api/v1/namespaces/{resolver.namespace}/configmaps/{resolver.config_map}"


def cron_jobs_path(namespace: str, name: str = "") -> str:
    """Return the path of a namespace's CronJobs, or of one."""
    return f"/apis/batch/v1/namespaces/{namespace}/cronjobs" + (f"/{name}" if name else "")


def observe(resolver: ResolverConfig, cluster: Cluster) -> dict[str, Any]:
    """Return {text, version, owners, writers, why}: `text` is None where there is no document yet.

    `owners` are who else owns our key, as {manager, operation, time}; `writers` are the CronJobs of
    the namespace that name the ConfigMap, as {name, suspended}; `why` says what could not be read,
    else "".
    """
    try:
        document = cluster.get(config_map_path(resolver))
        jobs = cluster.list(cron_jobs_path(resolver.namespace))
    except (Refused, Unreachable) as error:
        return nothing(str(error))
    data, metadata = ((document or {}).get(part) or {} for part in ("data", "metadata"))
    return {
        "text": data.get(resolver.key),
        "version": metadata.get("resourceVersion", ""),
        "owners": owners(metadata.get("managedFields") or [], resolver.key),
        "writers": list(writers(jobs, resolver.config_map)),
        "why": "",
    }


def nothing(why: str) -> dict[str, Any]:
    """Return the observation of a resolver that could not be read."""
    return {"text": None, "version": "", "owners": [], "writers": [], "why": why}


def writers(jobs: list[dict[str, Any]], config_map: str) -> Iterator[dict[str, Any]]:
    """Yield the CronJobs whose commands name the ConfigMap."""
    for job in jobs:
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        if commands_name(pod, config_map):
            suspended = bool(job["spec"].get("suspend"))
            yield {"name": job["metadata"]["name"], "suspended": suspended}


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
