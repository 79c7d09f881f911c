"""The configuration to run with: a file's, or one derived from what a cluster says already."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx

from cli.config_file import ConfigFileError, parse_yaml, read_config, to_yaml
from cli.problems import Misuse, Problem
from sandbox.cluster.manifests import load
from sandbox.kubernetes.server import Kubernetes
from sandbox.world.settings import HOMELAB
from tailkeeper.adapters.cluster import Cluster, Refused, Unreachable
from tailkeeper.derive import derive


if TYPE_CHECKING:
    from pathlib import Path

    from cli.replaced import Replaced
    from cli.screen import Screen
    from tailkeeper.config import Config

# What a configuration is derived from, by the paths of the Kubernetes API.
READ = {
    "ConfigMap": "/api/v1/configmaps",
    "Service": "/api/v1/services",
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "CronJob": "/apis/batch/v1/cronjobs",
    "Role": "/apis/rbac.authorization.k8s.io/v1/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "Gateway": "/apis/gateway.networking.k8s.io/v1/gateways",
    "GatewayClass": "/apis/gateway.networking.k8s.io/v1/gatewayclasses",
    "EnvoyProxy": "/apis/gateway.envoyproxy.io/v1alpha1/envoyproxies",
    "Application": "/apis/argoproj.io/v1alpha1/applications",
    "ApplicationSet": "/apis/argoproj.io/v1alpha1/applicationsets",
    "HelmRelease": "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
    "HelmChart": "/apis/helm.cattle.io/v1/helmcharts",
    "OCIRepository": "/apis/source.toolkit.fluxcd.io/v1/ocirepositories",
}


def configuration(
    screen: Screen, *, file: Path | None, manifests: Path | None, replaced: Replaced
) -> Config:
    """Return the configuration; one that is derived is printed, with what could not be.

    A cluster that is loaded from manifests is a copy, so what writes to its resolver is taken over;
    in a cluster of somebody else's that stays for a person to decide.
    """
    if file:
        try:
            return read_config(file)
        except ConfigFileError as error:
            raise Misuse(str(error)) from None
    if replaced.kubeconfig and not manifests:
        objects = running(screen, replaced.kubeconfig, replaced.kubeconfig_text)
        return derived(screen, objects, "cluster", take_over=False)
    folder = manifests or HOMELAB
    objects = loaded(screen, folder)
    return derived(screen, objects, name_of(folder), take_over=not replaced.kubeconfig)


def derived(
    screen: Screen, objects: list[dict[str, Any]], cluster: str, *, take_over: bool
) -> Config:
    """Return the configuration that the objects of a cluster ask for, and print it."""
    found = derive(objects, parse_yaml, cluster=cluster, take_over=take_over)
    screen.say("\nThe configuration, derived from what is there:\n")
    screen.say(to_yaml(found.config).rstrip(), style="dim")
    for note in found.notes:
        screen.say(f"  note: {note}")
    return found.config


def loaded(screen: Screen, folder: Path) -> list[dict[str, Any]]:
    """Return the objects of a directory as an API server takes them; say what was left out.

    What it would refuse is not there; the world that loads them says why. Kustomizations that
    install charts come last.
    """
    try:
        found = load(folder)
    except NotADirectoryError as error:
        raise Misuse(f"--manifests: {error}") from None
    screen.say(f"{len(found.objects)} Kubernetes objects from {folder}")
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for skipped in found.skipped:
        by_reason[skipped.reason].append(skipped.path)
    for reason, paths in by_reason.items():
        screen.say(f"  left out, {reason}: {', '.join(paths)}")
    cluster = Kubernetes()
    cluster.load_objects(found.objects)
    accepted: list[dict[str, Any]] = cluster.dump()["objects"]
    return accepted + found.kustomizations


def name_of(folder: Path) -> str:
    """Return a cluster's name after its folder."""
    return re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-") or "cluster"


def running(screen: Screen, kubeconfig: Path, text: str) -> list[dict[str, Any]]:
    """Return the objects of a running cluster; say which kinds may not be listed there."""
    cluster = Cluster.connect(text)
    found: list[dict[str, Any]] = []
    for kind, path in READ.items():
        try:
            found += [{**thing, "kind": kind} for thing in cluster.list(path)]
        except Unreachable as error:
            raise Problem(f"--kubeconfig {kubeconfig}: {error}") from error
        except Refused as error:
            if error.status == httpx.codes.UNAUTHORIZED:
                raise Problem(f"--kubeconfig {kubeconfig}: {error}") from error
            if error.status != httpx.codes.NOT_FOUND:
                screen.say(f"  nothing is derived from any {kind}, which was not shown: {error}")
    return found
