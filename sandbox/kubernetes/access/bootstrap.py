"""The objects that every cluster has: its namespaces, its own service, its default roles."""

from __future__ import annotations

from typing import Any


Document = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io/v1"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_NAMESPACED = [
    "configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "pods/log",
    "replicationcontrollers", "serviceaccounts", "services", "services/status",
]  # fmt: skip
_WORKLOADS = {
    "apps": ["daemonsets", "deployments", "deployments/scale", "replicasets", "statefulsets"],
    "batch": ["cronjobs", "jobs"],
    "networking.k8s.io": ["ingresses", "ingresses/status", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}


def bootstrap_objects() -> list[Document]:
    """Return them in an order in which they can be created."""
    namespaces = ("default", "kube-node-lease", "kube-public", "kube-system")
    return [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in namespaces),
        _own_service(),
        *_roles(),
    ]


def _own_service() -> Document:
    metadata = {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver"}}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    spec = {"clusterIP": "10.96.0.1", "type": "ClusterIP", "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _roles() -> list[Document]:
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    anywhere = {"nonResourceURLs": ["*"], "verbs": ["*"]}
    discovery = ["/", "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC]
    reviews = {
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        "verbs": ["create"],
    }
    who = {
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["selfsubjectreviews"],
        "verbs": ["create"],
    }
    return [
        *_role("cluster-admin", [everything, anywhere], "system:masters"),
        *_role("system:discovery", [_urls(discovery)], "system:authenticated"),
        *_role("system:basic-user", [reviews, who], "system:authenticated"),
        *_role("system:public-info-viewer", [_urls(_PUBLIC)], "system:unauthenticated"),
        *_role("view", _namespace_rules(_READ)),
        *_role("edit", [*_namespace_rules(_READ + _WRITE), _rule("", ["secrets"], _READ + _WRITE)]),
        *_role(
            "admin",
            [
                *_namespace_rules(_READ + _WRITE),
                _rule("", ["secrets"], _READ + _WRITE),
                *_granting(),
            ],
        ),
    ]


_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]


def _urls(urls: list[str]) -> Document:
    return {"nonResourceURLs": urls, "verbs": ["get"]}


def _rule(group: str, resources: list[str], verbs: list[str]) -> Document:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _namespace_rules(verbs: list[str]) -> list[Document]:
    groups = {"": _NAMESPACED, **_WORKLOADS}
    seen = _rule("", ["namespaces"], _READ)
    return [seen, *(_rule(group, resources, verbs) for group, resources in groups.items())]


def _granting() -> list[Document]:
    return [_rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], _READ + _WRITE)]


def _role(name: str, rules: list[Document], group: str = "") -> list[Document]:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    metadata = {"name": name, "labels": labels}
    role: Document = {
        "apiVersion": _RBAC,
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }
    if not group:
        return [role]
    binding: Document = {
        "apiVersion": _RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC.partition("/")[0], "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": _RBAC.partition("/")[0], "kind": "Group", "name": group}],
    }
    return [role, binding]
