"""Somebody brings back what was in our key before, on a real API's managed fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_resolver, observe_resolver
from tests.functions.test_plan_change import event, plan, plan_of
from tests.support.handlers import RUN
from tests.support.worlds import Bench, route


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

GIT = "100.64.0.66 a.example.com\n"


def look(aws: Stack, bench: Bench) -> dict[str, Any]:
    """Observe the resolver and plan; the rest of the world is in step."""
    given = event(aws, bench)
    seen = observe_resolver.handler(given, None)
    return plan(aws, bench, observed={**given["observed"], "resolver": seen})


def converge(aws: Stack, bench: Bench) -> dict[str, Any]:
    """Plan, and apply what may be, twice, as a step that died would; return the plan's answer."""
    answer = look(aws, bench)
    config = bench.config.as_json()
    asked = {"run": RUN, "round": 1, "config": config, "plan": answer["plan"]}
    for _ in range(2):
        report = apply_resolver.handler({**asked, "change_id": answer["change_id"]}, None)
        assert report["conflicts"] == []
    return answer


def document(outside: Outside) -> str:
    """Return the document as it lives in the cluster."""
    found = outside.kubernetes.get("v1/configmaps", "dns", "tailkeeper-hosts")
    assert found
    return str(found["data"]["hosts"])


@pytest.mark.parametrize(
    ("manager", "remedy"),
    [
        ("argocd-controller", "RespectIgnoreDifferences=true"),
        ("kustomize-controller", "kustomize.toolkit.fluxcd.io/ssa: Ignore"),
        ("kubectl-patch", "ask who runs kubectl patch in dns"),
    ],
)
def test_a_tool_that_re_applies_is_written_over_once_then_held(
    aws: Stack, outside: Outside, manager: str, remedy: str
) -> None:
    """F11, S5: no run fails, none fights on, and the hold says what to configure."""
    bench = Bench([route("a")])
    converge(aws, bench)
    ours = document(outside)
    metadata = {"name": "tailkeeper-hosts", "namespace": "dns"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"hosts": GIT}}

    outside.kubernetes.apply(body, manager=manager)
    first = converge(aws, bench)
    mended = document(outside)
    outside.kubernetes.apply(body, manager=manager)
    second = converge(aws, bench)

    assert mended == ours
    assert any(text.startswith(manager) and remedy in text for text in first["reports"])
    assert document(outside) == GIT
    held = plan_of(aws, second).with_word("hold")
    assert {c.surface for c in held} == {"resolver"}
    assert all(c.verdict and remedy in c.verdict.reasons[0] for c in held)
