"""Field managers: who owns a key, and what to tell him."""

from __future__ import annotations

from typing import Any

import pytest

from tailkeeper.coexistence.managers import owners, remedy
from tailkeeper.config import ResolverConfig


RESOLVER = ResolverConfig("dns", "hosts", "names", "dns", ("example.com",))


def entry(manager: str, time: str, *keys: str, operation: str = "Update") -> dict[str, Any]:
    """Return an entry of managedFields that owns keys of a ConfigMap's data."""
    data: Any = {".": {}, **{f"f:{key}": {} for key in keys}}
    fields = {"f:data": data, "f:metadata": {}}
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields}


def test_the_owners_of_a_key_are_named_newest_first() -> None:
    """We are none of them, nor is who owns another key."""
    fields: list[Any] = [
        entry("kubectl-patch", "2026-11-28T08:00:00Z", "hosts"),
        entry("tailkeeper", "2026-11-28T09:00:00Z", "hosts", operation="Apply"),
        entry("argocd-controller", "2026-11-28T08:30:00Z", "hosts", "other"),
        entry("helm", "2026-11-28T08:40:00Z", "other"),
        {"manager": "odd"},
    ]

    assert owners(fields, "hosts") == [
        {"manager": "argocd-controller", "operation": "Update", "time": "2026-11-28T08:30:00Z"},
        {"manager": "kubectl-patch", "operation": "Update", "time": "2026-11-28T08:00:00Z"},
    ]


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        (
            "argocd-controller",
            ["ignoreDifferences", "/data/hosts", "RespectIgnoreDifferences=true"],
        ),
        ("kustomize-controller", ["kustomize.toolkit.fluxcd.io/ssa: Ignore"]),
        ("helm-controller", ["driftDetection"]),
        ("kubectl-patch", ["kubectl patch", "in dns"]),
        ("kubectl-client-side-apply", ["kubectl client-side-apply"]),
        ("pulumi", ["out of git"]),
    ],
)
def test_each_tool_has_its_own_remedy(manager: str, words: list[str]) -> None:
    """In the words of that tool's documentation."""
    assert all(word in remedy(manager, RESOLVER) for word in words)
