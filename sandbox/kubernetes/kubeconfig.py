"""Kubeconfig files for clients of the stand-in."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from sandbox.files import write_atomically


if TYPE_CHECKING:
    from pathlib import Path


def write_kubeconfig(
    path: Path, server: str, token: str, ca_pem: bytes, *, namespace: str = "default"
) -> None:
    """Write a kubeconfig (JSON, which is YAML) with one cluster, one user and one context."""
    authority = base64.b64encode(ca_pem).decode()
    cluster = {"server": server, "certificate-authority-data": authority}
    context = {"cluster": "tailkeeper", "user": "tailkeeper", "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tailkeeper", "cluster": cluster}],
        "users": [{"name": "tailkeeper", "user": {"token": token}}],
        "contexts": [{"name": "tailkeeper", "context": context}],
        "current-context": "tailkeeper",
    }
    write_atomically(path, json.dumps(config, indent=2).encode())
