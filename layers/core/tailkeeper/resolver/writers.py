"""Who else writes a ConfigMap: workloads whose commands or whose permissions name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WORKLOADS = ("CronJob", "Deployment", "StatefulSet")
WRITING = frozenset({"create", "update", "patch", "*"})
_CONFIG_MAP = re.compile(r"\b(configmaps?|cm)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Writer:
    """A workload that writes; `at_work` is false while it is suspended or has no replicas."""

    kind: str
    namespace: str
    name: str
    at_work: bool
    why: str
    schedule: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def config_map_writers(
    objects: Mapping[str, Iterable[Mapping[str, Any]]], namespace: str, name: str
) -> tuple[Writer, ...]:
    """Return the CronJobs, Deployments and StatefulSets that write `<namespace>/<name>`.

    `objects` are Kubernetes objects by kind; Roles and RoleBindings add what commands do not say.
    The commands of a workload in another namespace must name ours too.
    """
    grants = dict(_grants(objects, namespace, name))
    return tuple(
        Writer(
            kind=kind,
            namespace=_namespace(workload),
            name=workload["metadata"]["name"],
            at_work=_at_work(workload),
            why=why,
            schedule=str(workload["spec"].get("schedule", "")),
        )
        for kind in WORKLOADS
        for workload in objects.get(kind, ())
        if (why := _why(workload, grants, namespace, name))
    )


def _why(workload: Mapping[str, Any], grants: Mapping[str, str], namespace: str, name: str) -> str:
    pod = _pod(workload)
    here = _namespace(workload) == namespace
    if commands_name(pod, name) and (here or commands_say(pod, namespace)):
        return "its commands name the ConfigMap"
    account = f"{_namespace(workload)}/{pod.get('serviceAccountName', 'default')}"
    return grants.get(account, "")


def commands_name(pod: Mapping[str, Any], config_map: str) -> bool:
    """Return whether a container's command speaks of a ConfigMap of this very name."""
    return bool(_CONFIG_MAP.search(_commands(pod))) and commands_say(pod, config_map)


def commands_say(pod: Mapping[str, Any], name: str) -> bool:
    """Return whether a container's command contains a name, whole."""
    # Scripts build names and manifests freely, so words are all that can be looked for.
    return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", _commands(pod)))


def _commands(pod: Mapping[str, Any]) -> str:
    return "\n".join(
        str(word)
        for container in pod.get("containers") or ()
        for word in [*(container.get("command") or ()), *(container.get("args") or ())]
    )


def _grants(
    objects: Mapping[str, Iterable[Mapping[str, Any]]], namespace: str, name: str
) -> Iterator[tuple[str, str]]:
    """Yield (service account, why) for those that a Role lets write just this ConfigMap."""
    roles = {
        role["metadata"]["name"]
        for role in objects.get("Role", ())
        if _namespace(role) == namespace
        and any(_lets(rule, name) for rule in role.get("rules") or ())
    }
    for binding in objects.get("RoleBinding", ()):
        role = binding["roleRef"]["name"]
        if _namespace(binding) == namespace and role in roles:
            for subject in binding.get("subjects") or ():
                account = f"{subject.get('namespace', namespace)}/{subject['name']}"
                yield account, f"Role {namespace}/{role} lets it write the ConfigMap"


def _lets(rule: Mapping[str, Any], name: str) -> bool:
    return (
        "configmaps" in (rule.get("resources") or ())
        and name in (rule.get("resourceNames") or ())
        and bool(WRITING & set(rule.get("verbs") or ()))
    )


def _pod(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = workload["spec"]
    job = (spec.get("jobTemplate") or {}).get("spec") or spec
    pod: Mapping[str, Any] = (job.get("template") or {}).get("spec") or {}
    return pod


def _at_work(workload: Mapping[str, Any]) -> bool:
    spec = workload["spec"]
    return not spec.get("suspend") and spec.get("replicas", 1) != 0


def _namespace(document: Mapping[str, Any]) -> str:
    return str(document["metadata"].get("namespace") or "default")
