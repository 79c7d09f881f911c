"""What a directory of somebody else's brings: never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.configuration import derived, loaded
from cli.screen import Screen


if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: web
  namespace: edge
  annotations: {external-dns.alpha.kubernetes.io/target: web.tail1234.ts.net}
spec:
  gatewayClassName: eg
  listeners: [{name: https, port: 443, protocol: HTTPS}]
"""


@pytest.mark.parametrize(
    "odd",
    [
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: part}, spec: {replicas: 2}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: part}}",
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: part}, spec: {schedule: x}}",
        "{apiVersion: v1, kind: Service, metadata: {name: part, labels: [a]}, spec: []}",
        "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: part}}",
        "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a}, spec: [x]}",
        "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: a}, spec: 5}",
        "{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: a}, spec: [1]}",
        "{apiVersion: example.org/v1, kind: Whatever, metadata: {name: a}, spec: 5}",
    ],
)
def test_an_odd_object_is_left_out_and_the_rest_is_derived(tmp_path: Path, odd: str) -> None:
    """A patch, a part of an object, or a kind that nobody checks."""
    (tmp_path / "all.yaml").write_text(f"{GOOD}---\n{odd}\n")
    screen = Screen()

    config = derived(screen, loaded(screen, tmp_path), "home", take_over=True)

    assert [gateway.key for gateway in config.clusters[0].gateways] == ["edge/web"]
