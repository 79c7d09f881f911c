"""Defaults that depend on other fields; the plain ones are in the kinds' tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds.decode import with_defaults


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.kubernetes.kinds.resource import Resource

Document = dict[str, Any]

RBAC = "rbac.authorization.k8s.io"


def defaulted(resource: Resource, document: Document) -> Document:
    """Return the object with all its defaults; the given one is left as it was."""
    filled: Document = with_defaults(resource.schema, document)
    rule = _RULES.get(resource.kind) if not resource.custom else None
    if rule:
        rule(filled)
    return filled


def _service(document: Document) -> None:
    spec = document.setdefault("spec", {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in spec.get("ports") or ():
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"LoadBalancer", "NodePort"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _pod_template(document: Document) -> None:
    spec = document.get("spec") or {}
    template = spec.get("template") or {}
    template.setdefault("metadata", {})
    _pod(template)


def _deployment(document: Document) -> None:
    spec = document.get("spec") or {}
    strategy = spec.setdefault("strategy", {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    _pod_template(document)


def _cron_job(document: Document) -> None:
    _pod_template((document.get("spec") or {}).get("jobTemplate") or {})


def _pod(document: Document) -> None:
    spec = document.get("spec")
    if not spec:
        return
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
        container.setdefault("resources", {})


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in {"", "latest"} and "@" not in image else "IfNotPresent"


def _binding(document: Document) -> None:
    for subject in document.get("subjects") or ():
        group = "" if subject.get("kind") == "ServiceAccount" else RBAC
        if group:
            subject.setdefault("apiGroup", group)


_RULES: dict[str, Callable[[Document], None]] = {
    "Service": _service,
    "Deployment": _deployment,
    "StatefulSet": _pod_template,
    "DaemonSet": _pod_template,
    "ReplicaSet": _pod_template,
    "Job": _pod_template,
    "CronJob": _cron_job,
    "Pod": _pod,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
