"""Ways into the cluster: an administrator's kubeconfig, and tailkeeper's own, with least rights."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from sandbox.cluster.manifests import load
from sandbox.cluster.resolver import WORKLOADS, runs_coredns
from sandbox.world.settings import HOMELAB


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sandbox.cluster.certificates import Authority
    from sandbox.kubernetes.server import Kubernetes

    Object = Mapping[str, Any]

ACCOUNT = ("tailkeeper", "tailkeeper")
RULES = {
    "resolver": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "patch"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get", "list", "patch"]},
        {
            "apiGroups": ["apps"],
            "resources": ["deployments", "statefulsets"],
            "verbs": ["get", "patch"],
        },
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["roles", "rolebindings"],
            "verbs": ["list"],
        },
    ],
    "external-dns": [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
    ],
    "updater": [
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get", "patch"]},
    ],
}


def server_context(authority: Authority) -> ssl.SSLContext:
    """Return the TLS context of a server on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context


def account_objects(objects: Iterable[Object]) -> list[dict[str, Any]]:
    """Return tailkeeper's ServiceAccount and roles for a cluster that does not have them yet.

    They are those of our own example cluster; what is granted beside its resolver there is granted
    beside each resolver here, whose ConfigMap is taken over and which may be restarted, beside each
    ExternalDNS, which is scaled down, and beside each CronJob, which may write to a resolver.
    """
    if any(_is_account(thing) for thing in objects):
        return []
    found: list[dict[str, Any]] = []
    for thing in load(HOMELAB).objects:
        if not thing["metadata"]["name"].startswith("tailkeeper"):
            continue
        if thing["metadata"]["name"] == "tailkeeper-resolver":
            found += [
                _beside(thing, place, name)
                for name, is_meant in KINDS_BESIDE.items()
                for place in _namespaces(objects, is_meant)
            ]
        else:
            found.append(thing)
    return found


def _is_account(thing: Object) -> bool:
    meta = thing["metadata"]
    return thing["kind"] == "ServiceAccount" and (meta.get("namespace"), meta["name"]) == ACCOUNT


def _namespaces(objects: Iterable[Object], is_meant: Callable[[Object], bool]) -> list[str]:
    return sorted({t["metadata"].get("namespace", "default") for t in objects if is_meant(t)})


def _is_resolver(thing: Object) -> bool:
    return thing["kind"] in WORKLOADS and runs_coredns(thing)


def _is_external_dns(thing: Object) -> bool:
    if thing["kind"] != "Deployment":
        return False
    containers = thing["spec"]["template"]["spec"].get("containers") or []
    return any("/external-dns:" in container.get("image", "") for container in containers)


KINDS_BESIDE: dict[str, Callable[[Object], bool]] = {
    "resolver": _is_resolver,
    "external-dns": _is_external_dns,
    "updater": lambda thing: thing["kind"] == "CronJob",
}


def _beside(thing: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
    full = f"tailkeeper-{name}"
    moved = {**thing, "metadata": {**thing["metadata"], "name": full, "namespace": namespace}}
    if thing["kind"] == "Role":
        return {**moved, "rules": RULES[name]}
    return {**moved, "roleRef": {**thing["roleRef"], "name": full}}


def write_kubeconfigs(kubernetes: Kubernetes, authority: Authority, folder: Path) -> dict[str, str]:
    """Write both kubeconfigs; return `kubeconfig` (the administrator's) and `tailkeeper`."""
    ca_pem = authority.ca.cert_pem.bytes()
    tokens = {
        "kubeconfig": kubernetes.admin_token,
        "tailkeeper": kubernetes.service_account_token(*ACCOUNT),
    }
    for name, token in tokens.items():
        kubernetes.kubeconfig(folder / f"{name}.json", token, ca_pem)
    return {name: str(folder / f"{name}.json") for name in tokens}
